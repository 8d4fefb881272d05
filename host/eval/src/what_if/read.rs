//! A file of requests, row by row: `prompt, size, quality, n, model, cost`, columns in any order, others ignored.
//!
//! `size`, `quality`, `n` and `cost` may be empty, or not be there at all. A row that is no request is left out and counted.

use std::path::Path;

use domain::{
    money::MicroUsd,
    quality::AskedQuality,
    request::{MAX_COUNT, Request},
    size::Size,
};

use super::fault::Fault;
use crate::{
    decimal::dollars,
    faults::{Faults, Problem},
    prompt_row,
    table_file::{Cells, TableError, TableFile, is_hole},
};

const NAMES: [&str; 6] = ["prompt", "model", "size", "quality", "n", "cost"];

/// A request that somebody else has served.
#[derive(Clone, Debug)]
pub struct Row {
    /// Where it begins in its file.
    pub line: u64,
    pub request: Request,
    /// The model that was asked for.
    pub asked: String,
    /// What it cost; `None` when the file does not say.
    pub cost: Option<MicroUsd>,
}

/// The rows of a file.
pub(super) struct Rows {
    table: TableFile,
    columns: Columns,
    faults: Faults<Fault>,
}

impl Rows {
    /// # Errors
    ///
    /// When there is no such file, or it has no prompts and models.
    pub(super) fn open(path: &Path) -> Result<Self, TableError> {
        let table = TableFile::open(path)?;
        let columns = Columns::of(&table)?;
        Ok(Self { table, columns, faults: Faults::default() })
    }

    /// The next rows that are requests, `most` at most; none at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any further.
    pub(super) fn batch(&mut self, most: usize) -> Result<Vec<Row>, TableError> {
        let mut batch = Vec::with_capacity(most);
        while batch.len() < most
            && let Some(cells) = self.table.next()?
        {
            batch.extend(self.columns.request(cells, &mut self.faults));
        }
        Ok(batch)
    }

    /// Rows behind the headings so far, used or not.
    pub(super) fn seen(&self) -> u64 {
        self.table.seen
    }

    /// How much of the file was read, 0 to 1.
    pub(super) fn share(&self) -> Option<f64> {
        self.table.share()
    }

    pub(super) fn file(&self) -> &str {
        &self.table.name
    }

    /// Columns that the file could have and does not.
    pub(super) fn missing_columns(&self) -> Vec<&'static str> {
        let Columns { size, quality, n, cost, .. } = self.columns;
        let optional = [(NAMES[2], size), (NAMES[3], quality), (NAMES[4], n), (NAMES[5], cost)];
        optional.into_iter().filter(|(_, column)| column.is_none()).map(|(name, _)| name).collect()
    }

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.faults.problems()
    }
}

/// Where the columns are.
struct Columns {
    count: usize,
    prompt: usize,
    model: usize,
    size: Option<usize>,
    quality: Option<usize>,
    n: Option<usize>,
    cost: Option<usize>,
}

impl Columns {
    fn of(table: &TableFile) -> Result<Self, TableError> {
        let place = |name| table.place(name);
        Ok(Self {
            count: table.headings.len(),
            prompt: place(NAMES[0])?.ok_or_else(|| table.missing(NAMES[0]))?,
            model: place(NAMES[1])?.ok_or_else(|| table.missing(NAMES[1]))?,
            size: place(NAMES[2])?,
            quality: place(NAMES[3])?,
            n: place(NAMES[4])?,
            cost: place(NAMES[5])?,
        })
    }

    /// `None` of a row that is left out, which was noted.
    fn request(&self, cells: Cells<'_>, faults: &mut Faults<Fault>) -> Option<Row> {
        let line = cells.line;
        let mut bad = |fault, cell: &str| faults.note(fault, line, cell);
        let used = [Some(self.model), self.size, self.quality, self.n, self.cost];
        let prompt =
            prompt_row::prompt(cells, self.count, self.prompt, &used).map_err(|row| bad(Fault::Row(row), "")).ok()?;
        // All cells that are used are text by now.
        let text = |column: usize| cells.text(column).unwrap_or_default().trim();
        let filled = |column: Option<usize>| column.map(text).filter(|cell| !is_hole(cell));
        let asked = text(self.model);
        if is_hole(asked) {
            bad(Fault::NoModel, "");
            return None;
        }
        let size = filled(self.size).map_or(Some(None), size).or_else(|| {
            bad(Fault::Size, filled(self.size).unwrap_or_default());
            None
        })?;
        let quality = filled(self.quality).map_or(Some(AskedQuality::Any), quality).or_else(|| {
            bad(Fault::Quality, filled(self.quality).unwrap_or_default());
            None
        })?;
        let count = filled(self.n).map_or(Some(1), count).or_else(|| {
            bad(Fault::Count, filled(self.n).unwrap_or_default());
            None
        })?;
        let cost = match filled(self.cost).map(|cell| (cell, dollars(cell))) {
            None => None,
            Some((cell, None)) => {
                bad(Fault::Cost, cell);
                return None;
            }
            Some((cell, Some((cost, is_rounded)))) => {
                if is_rounded {
                    bad(Fault::Rounded, cell);
                } else if cost == MicroUsd::ZERO {
                    bad(Fault::Free, "");
                }
                Some(cost)
            }
        };
        let request = Request { size, quality, count, ..Request::for_prompt(prompt) };
        Some(Row { line, request, asked: asked.to_owned(), cost })
    }
}

/// `auto` is the provider's choice.
fn size(cell: &str) -> Option<Option<Size>> {
    let plain = cell.to_lowercase().replace('×', "x");
    if plain == "auto" { Some(None) } else { plain.parse().ok().map(Some) }
}

fn quality(cell: &str) -> Option<AskedQuality> {
    cell.to_lowercase().parse().ok()
}

/// Also as a table with empty cells is written by programs that know numbers only: `2.0`.
fn count(cell: &str) -> Option<u32> {
    let whole = cell.split_once('.').map_or(Some(cell), |(whole, behind)| {
        (!behind.is_empty() && behind.bytes().all(|digit| digit == b'0')).then_some(whole)
    })?;
    whole.parse().ok().filter(|count| (1..=MAX_COUNT).contains(count))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Row>, Vec<Problem>) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("requests.csv");
        std::fs::write(&path, text).expect("written");
        let mut rows = Rows::open(&path).expect("requests");
        (rows.batch(100).expect("read"), rows.problems())
    }

    #[test]
    fn what_is_empty_is_left_to_us() {
        let (rows, problems) =
            read("Cost,model,N,user,prompt,size,quality\n,m,,x,a fox,,\n0.5,m,2.0,x,a fox,1024×1536,HD\n");
        assert_eq!(problems, []);
        let [left, told] = rows.as_slice() else { panic!("two rows: {rows:?}") };
        let request = |row: &Row| (row.request.size.map(|size| size.to_string()), row.request.count, row.cost);
        assert_eq!(request(left), (None, 1, None));
        assert_eq!(request(told), (Some("1024x1536".to_owned()), 2, Some(MicroUsd(500_000))));
        assert_eq!((left.request.quality, told.request.quality.to_string()), (AskedQuality::Any, "hd".to_owned()));
    }

    #[test]
    fn what_is_no_request_is_left_out_with_its_line() {
        let head = "prompt,model,size,quality,n,cost\n";
        let (rows, problems) = read(&format!(
            "{head}a,m,big,,,\na,m,,best,,\na,m,,,0,\na,m,,,11,\na,m,,,1.5,\na,m,,,,-1\n,m,,,,\na,,,,,\na,m\na,m,,,,0\n"
        ));
        assert_eq!(rows.len(), 1);
        let told: Vec<(&str, u64, &[u64])> =
            problems.iter().map(|problem| (problem.code, problem.count, &*problem.first_lines)).collect();
        assert_eq!(
            told,
            [
                ("wrong-number-of-cells", 1, &[10][..]),
                ("no-prompt", 1, &[8]),
                ("no-model", 1, &[9]),
                ("bad-size", 1, &[2]),
                ("bad-quality", 1, &[3]),
                ("bad-n", 3, &[4, 5, 6]),
                ("bad-cost", 1, &[7]),
                ("cost-zero", 1, &[11]),
            ]
        );
        assert_eq!(problems[5].text, "3 rows left out: n is no number from 1 to 10, such as `0` (lines 4, 5, 6)");
    }
}
