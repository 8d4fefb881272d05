//! Adding up what was looked back at: in all, by the model that was asked for, and by label. Of bounded size, whatever
//! stands in the file.

use std::collections::{BTreeMap, HashMap};

use domain::{
    candidate::CandidateId,
    hindsight::{Asked, Compared, Hindsight, Incomparable},
    money::MicroUsd,
};

use super::read::Row;
use crate::faults::keep_line;

/// Models that were asked for, and labels, that are told apart: the first ones. The others are counted together.
pub(super) const MOST_MODELS: usize = 100;
pub(super) const MOST_LABELS: usize = 50;
/// Reasons for which nobody would have been chosen, likewise.
const MOST_REASONS: usize = 20;

/// All that one way of deciding comes to.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) total: Sums,
    /// `None` stands for the models after the first [`MOST_MODELS`].
    pub(super) by_model: HashMap<Option<String>, OfModel>,
    pub(super) by_label: HashMap<Option<String>, Sums>,
    /// Rows that are not in the savings.
    pub(super) left_out: BTreeMap<Incomparable, u64>,
    /// Why nobody would have been chosen; `None` for the reasons after the first [`MOST_REASONS`].
    pub(super) unserved: HashMap<Option<String>, Unserved>,
    /// Of rows with a cost whose model the catalogue can price: what was paid, and what the catalogue says.
    pub(super) listed_rows: u64,
    pub(super) paid: MicroUsd,
    pub(super) listed: MicroUsd,
}

#[derive(Debug, Default)]
pub(super) struct OfModel {
    pub(super) sums: Sums,
    pub(super) unknown: u64,
    pub(super) unclear: u64,
    pub(super) chosen: BTreeMap<CandidateId, Sums>,
}

#[derive(Debug, Default)]
pub(super) struct Unserved {
    pub(super) count: u64,
    pub(super) lines: Vec<u64>,
    pub(super) hint: Option<String>,
}

/// Sums over rows for which somebody would have been chosen.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Sums {
    pub(super) rows: u64,
    /// Rows of which both costs are known.
    pub(super) compared: u64,
    /// Of those, rows whose model would have been chosen, and rows whose cost is the catalogue's.
    pub(super) same: u64,
    pub(super) by_the_list: u64,
    pub(super) asked: MicroUsd,
    pub(super) chosen: MicroUsd,
    /// Rows of which both qualities are known.
    pub(super) rated: u64,
    pub(super) asked_quality: f64,
    pub(super) chosen_quality: f64,
}

impl Sums {
    fn add(&mut self, compared: Option<Compared>, qualities: Option<(f32, f32)>) {
        self.rows += 1;
        if let Some(Compared { asked, chosen, is_same, by_the_list }) = compared {
            self.compared += 1;
            self.same += u64::from(is_same);
            self.by_the_list += u64::from(by_the_list);
            self.asked = self.asked.plus(asked);
            self.chosen = self.chosen.plus(chosen);
        }
        if let Some((asked, chosen)) = qualities {
            self.rated += 1;
            self.asked_quality += f64::from(asked);
            self.chosen_quality += f64::from(chosen);
        }
    }
}

impl Tally {
    pub(super) fn add(&mut self, row: &Row, hindsight: &Hindsight) {
        if let (Some(paid), Asked::Known { cost: Some(listed), .. }) = (row.cost, &hindsight.asked) {
            self.listed_rows += 1;
            self.paid = self.paid.plus(paid);
            self.listed = self.listed.plus(*listed);
        }
        let compared = hindsight.compared(row.cost);
        if let Err(why) = compared {
            *self.left_out.entry(why).or_default() += 1;
        }
        let chosen = match &hindsight.chosen {
            Ok(chosen) => chosen,
            Err(nobody) => {
                let unserved = entry(&mut self.unserved, &nobody.why, MOST_REASONS);
                unserved.count += 1;
                keep_line(&mut unserved.lines, row.line);
                unserved.hint = unserved.hint.take().or_else(|| nobody.hint.clone());
                return;
            }
        };
        let (compared, qualities) = (compared.ok(), hindsight.qualities());
        self.total.add(compared, qualities);
        entry(&mut self.by_label, &hindsight.label, MOST_LABELS).add(compared, qualities);
        let model = entry(&mut self.by_model, &row.asked, MOST_MODELS);
        model.sums.add(compared, qualities);
        model.unknown += u64::from(hindsight.asked == Asked::Unknown);
        model.unclear += u64::from(hindsight.asked == Asked::Unclear);
        // As many as there are candidates.
        model.chosen.entry(chosen.candidate.clone()).or_default().add(compared, qualities);
    }
}

/// The entry of `name`, or that of all others once there are `most`.
fn entry<'a, T: Default>(all: &'a mut HashMap<Option<String>, T>, name: &str, most: usize) -> &'a mut T {
    let key = Some(name.to_owned());
    let key = if all.contains_key(&key) || all.len() < most { key } else { None };
    all.entry(key).or_default()
}

#[cfg(test)]
mod tests {
    use domain::{
        hindsight::{Chosen, Nobody},
        request::Request,
    };

    use super::*;

    fn row(line: u64, asked: &str, cost: Option<u64>) -> Row {
        Row { line, request: Request::for_prompt("a fox"), asked: asked.to_owned(), cost: cost.map(MicroUsd) }
    }

    fn hindsight(cost: u64) -> Hindsight {
        let candidate = CandidateId::new("b", "n", None);
        let chosen = Chosen { candidate, cost: Some(MicroUsd(cost)), quality: Some(0.5) };
        Hindsight { label: "general".to_owned(), asked: Asked::Unknown, chosen: Ok(chosen) }
    }

    #[test]
    fn a_row_without_a_cost_is_counted_and_not_summed() {
        let mut tally = Tally::default();
        tally.add(&row(2, "m", Some(70)), &hindsight(30));
        tally.add(&row(3, "m", None), &hindsight(30));
        let Sums { rows, compared, asked, chosen, .. } = tally.total;
        assert_eq!((rows, compared, asked, chosen), (2, 1, MicroUsd(70), MicroUsd(30)));
        assert_eq!(tally.left_out, BTreeMap::from([(Incomparable::UnknownModel, 1)]));
    }

    #[test]
    fn a_column_of_other_things_than_models_does_not_fill_memory() {
        let mut tally = Tally::default();
        for line in 0..1_000 {
            tally.add(&row(line, &format!("model {line}"), Some(1)), &hindsight(1));
            let why = format!("no candidate can draw {line}x1");
            let nobody = Nobody { why, hint: None };
            tally.add(&row(line, "m", Some(1)), &Hindsight { chosen: Err(nobody), ..hindsight(1) });
        }
        assert_eq!((tally.by_model.len(), tally.unserved.len()), (MOST_MODELS + 1, MOST_REASONS + 1));
        assert_eq!(tally.by_model[&None].sums.rows, 900);
        let models: u64 = tally.by_model.values().map(|model| model.sums.rows).sum();
        assert_eq!((models, tally.total.rows), (1_000, 1_000));
    }
}
