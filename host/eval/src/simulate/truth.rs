//! How good every candidate really is: what a simulation knows and no strategy is told.

use std::{sync::Arc, time::Duration};

/// The true quality of every candidate, 0 to 1, for each kind of picture and at every moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Truth {
    /// In the order of the workload's candidates; each has one for kinds that are not named.
    pub rows: Vec<Row>,
    /// In the file's order: of two that change the same, the later one counts.
    pub shifts: Vec<Shift>,
}

/// True quality of one candidate by the label that the route's classifier gives a prompt.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Row {
    /// For every label that is not named. `None` in a shift that leaves it as it was.
    pub usual: Option<f64>,
    pub labels: Vec<(Arc<str>, f64)>,
}

/// What is different from some point on.
#[derive(Clone, Debug, PartialEq)]
pub struct Shift {
    pub from: From,
    /// In the order of the workload's candidates; `None` for those that stay as they were.
    pub rows: Vec<Option<Row>>,
}

/// Where a shift begins.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum From {
    /// With requests that arrive at this time since the start, or later.
    Time(Duration),
    /// After so many requests have arrived.
    Requests(u64),
}

impl Truth {
    /// Of the candidate of this index, for the request number `n`, from 0, that arrived at `at`.
    pub(super) fn of(&self, candidate: usize, label: &str, n: u64, at: Duration) -> f64 {
        let begun = self.shifts.iter().rev().filter(|shift| shift.from.has_come(n, at));
        let shifted = begun.filter_map(|shift| shift.rows[candidate].as_ref()?.of(label)).next();
        shifted.or_else(|| self.rows[candidate].of(label)).unwrap_or_default()
    }
}

impl Row {
    fn of(&self, label: &str) -> Option<f64> {
        let named = self.labels.iter().find(|(name, _)| **name == *label);
        named.map(|(_, quality)| *quality).or(self.usual)
    }
}

impl From {
    fn has_come(self, n: u64, at: Duration) -> bool {
        match self {
            Self::Time(time) => at >= time,
            Self::Requests(count) => n >= count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shift_changes_what_it_names_and_leaves_the_rest() {
        let row = |usual, labels: &[(&str, f64)]| Row {
            usual,
            labels: labels.iter().map(|(label, quality)| (Arc::from(*label), *quality)).collect(),
        };
        let truth = Truth {
            rows: vec![row(Some(0.5), &[("technical", 0.9)]), row(Some(0.6), &[])],
            shifts: vec![
                Shift { from: From::Requests(10), rows: vec![Some(row(None, &[("technical", 0.2)])), None] },
                Shift { from: From::Time(Duration::from_secs(60)), rows: vec![Some(row(Some(0.1), &[])), None] },
            ],
        };
        let of = |candidate, label, n, at| truth.of(candidate, label, n, Duration::from_secs(at));
        assert_eq!((of(0, "technical", 9, 0), of(0, "general", 9, 0)), (0.9, 0.5));
        assert_eq!((of(0, "technical", 10, 0), of(0, "general", 10, 0)), (0.2, 0.5));
        assert_eq!((of(0, "technical", 10, 60), of(0, "general", 10, 60)), (0.1, 0.1));
        assert_eq!(of(1, "technical", 10, 60), 0.6);
    }
}
