//! A file of labelled prompts, row by row: `prompt, label, traits`, columns in any order, others ignored.
//!
//! Words of labels, traits and groups become numbers in the order in which the file has them, so that counts are small.

use std::{
    collections::{HashMap, hash_map::Entry},
    path::Path,
    sync::Arc,
};

use domain::digest::Digest;

use super::{LabelsError, fault::Fault, tally::number};
use crate::{
    faults::{Faults, Problem},
    prompt_row,
    table_file::{Cells, TableFile, is_hole},
};

/// Different labels and traits that a file may have.
const MOST_WORDS: usize = 32;
/// Groups that are told apart: the first ones. The others are counted together.
pub(super) const MOST_GROUPS: usize = 50;
/// Longest word of a label or a trait, as the contract has it.
const LONGEST: usize = 64;

/// A prompt, and what is true of it.
pub(super) struct Row {
    pub(super) line: u64,
    pub(super) prompt: Arc<str>,
    /// A number in [`Words::labels`].
    pub(super) label: usize,
    /// A bit for each number in [`Words::traits`].
    pub(super) traits: u32,
    /// A number in [`Words::groups`]; `MOST_GROUPS` for those that are not told apart.
    pub(super) group: Option<usize>,
}

/// The words of a file so far.
#[derive(Debug, Default)]
pub(super) struct Words {
    pub(super) labels: Vec<String>,
    pub(super) traits: Vec<String>,
    pub(super) groups: Vec<String>,
}

/// The rows of a file.
pub(super) struct Rows {
    table: TableFile,
    columns: Columns,
    pub(super) words: Words,
    faults: Faults<Fault>,
    /// The label that each prompt had first.
    known: HashMap<Digest, usize>,
}

impl Rows {
    /// # Errors
    ///
    /// When there is no such file, or it has no prompts, labels, or groups where those are wanted.
    pub(super) fn open(path: &Path, by: Option<&str>) -> Result<Self, LabelsError> {
        let table = TableFile::open(path)?;
        let columns = Columns::of(&table, by)?;
        Ok(Self { table, columns, words: Words::default(), faults: Faults::default(), known: HashMap::new() })
    }

    /// The next prompts, `most` at most; none at the end of the file.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any further, or has too many labels or traits.
    pub(super) fn batch(&mut self, most: usize) -> Result<Vec<Row>, LabelsError> {
        let mut batch = Vec::with_capacity(most);
        while batch.len() < most
            && let Some(cells) = self.table.next()?
        {
            let line = cells.line;
            let row = self.columns.row(cells, &mut self.words).map_err(|full| full.at(&self.columns.file, line))?;
            match row.and_then(|row| known(&mut self.known, &row).map(|again| (row, again))) {
                Ok((row, is_again)) => {
                    if is_again {
                        self.faults.note(Fault::Again, line, &row.prompt);
                    }
                    batch.push(row);
                }
                Err((fault, example)) => self.faults.note(fault, line, &example),
            }
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

    pub(super) fn problems(&self) -> Vec<Problem> {
        self.faults.problems()
    }
}

/// What is wrong with a row, and an example of it.
type Bad = (Fault, String);

/// Whether the prompt came before, with the same label.
fn known(known: &mut HashMap<Digest, usize>, row: &Row) -> Result<bool, Bad> {
    match known.entry(Digest::of(row.prompt.as_bytes())) {
        Entry::Vacant(place) => {
            place.insert(row.label);
            Ok(false)
        }
        Entry::Occupied(first) if *first.get() == row.label => Ok(true),
        Entry::Occupied(_) => Err((Fault::Contradiction, row.prompt.to_string())),
    }
}

/// A column with too many different words.
struct Full(&'static str);

impl Full {
    fn at(&self, file: &str, line: u64) -> LabelsError {
        LabelsError::Words { file: file.to_owned(), line, column: self.0, most: MOST_WORDS }
    }
}

/// Where the columns are.
struct Columns {
    file: String,
    count: usize,
    prompt: usize,
    label: usize,
    traits: Option<usize>,
    group: Option<usize>,
}

impl Columns {
    fn of(table: &TableFile, by: Option<&str>) -> Result<Self, LabelsError> {
        let need = |name: &'static str| table.place(name)?.ok_or_else(|| table.missing(name));
        let (prompt, label) = (need("prompt")?, need("label")?);
        let group = by.map(|name| {
            let missing = || LabelsError::Group { file: table.name.clone(), name: name.to_owned() };
            table.place(name)?.ok_or_else(missing)
        });
        let (file, count) = (table.name.clone(), table.headings.len());
        Ok(Self { file, count, prompt, label, traits: table.place("traits")?, group: group.transpose()? })
    }

    /// The row, or what is wrong with it.
    fn row(&self, cells: Cells<'_>, words: &mut Words) -> Result<Result<Row, Bad>, Full> {
        let bad = |fault, example: &str| Ok(Err((fault, example.to_owned())));
        let used = [Some(self.label), self.traits, self.group];
        let prompt = match prompt_row::prompt(cells, self.count, self.prompt, &used) {
            Ok(prompt) => prompt,
            Err(row) => return bad(Fault::Row(row), ""),
        };
        let text = |column: usize| cells.text(column).unwrap_or_default().trim();
        let optional = |column: Option<usize>| column.map_or("", text);
        let (label, traits, group) = (text(self.label), optional(self.traits), optional(self.group));
        if is_hole(label) {
            return bad(Fault::NoLabel, "");
        }
        let named: Vec<&str> = traits.split('|').map(str::trim).filter(|name| !is_hole(name)).collect();
        if let Some(odd) = std::iter::once(label).chain(named.iter().copied()).find(|word| !is_plain(word)) {
            return bad(Fault::NoWord, odd);
        }
        let mut bits = 0;
        for name in named {
            bits |= 1 << number(&mut words.traits, name, MOST_WORDS).ok_or(Full("traits"))?;
        }
        let label = number(&mut words.labels, label, MOST_WORDS).ok_or(Full("label"))?;
        let group = self.group.map(|_| number(&mut words.groups, group, MOST_GROUPS).unwrap_or(MOST_GROUPS));
        Ok(Ok(Row { line: cells.line, prompt: prompt.into(), label, traits: bits, group }))
    }
}

fn is_plain(word: &str) -> bool {
    word.len() <= LONGEST && word.bytes().all(|byte| byte.is_ascii_graphic())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn opened(text: &str, by: Option<&str>) -> Result<(Rows, tempfile::TempDir), LabelsError> {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("labelled.csv");
        std::fs::write(&path, text).expect("written");
        Rows::open(&path, by).map(|rows| (rows, folder))
    }

    #[test]
    fn words_become_numbers_in_the_order_of_the_file() {
        let text = "\u{feff}Traits,prompt,LABEL,lang\r\ntext|quantity,\"a, b\",technical,de\r\n,c,general,fr\r\nquantity,d,technical,de\r\n";
        let (mut rows, _folder) = opened(text, Some("lang")).expect("a table");
        let found: Vec<(usize, u32, Option<usize>)> =
            rows.batch(10).expect("read").iter().map(|row| (row.label, row.traits, row.group)).collect();
        assert_eq!(found, [(0, 0b11, Some(0)), (1, 0, Some(1)), (0, 0b10, Some(0))]);
        assert_eq!(rows.words.traits, ["text", "quantity"]);
        assert!(rows.problems().is_empty());
    }

    #[test]
    fn what_is_no_labelled_prompt_is_left_out_with_its_line() {
        let text = "prompt,label\na,general\na,general\na,realistic\n,general\nb,-\nc,two words\nd\n";
        let (mut rows, _folder) = opened(text, None).expect("a table");
        assert_eq!(rows.batch(10).expect("read").len(), 2);
        let told: Vec<(&str, u64, bool)> =
            rows.problems().iter().map(|problem| (problem.code, problem.first_lines[0], problem.is_left_out)).collect();
        assert_eq!(
            told,
            [
                ("wrong-number-of-cells", 8, true),
                ("no-prompt", 5, true),
                ("no-label", 6, true),
                ("bad-word", 7, true),
                ("prompt-again", 3, false),
                ("another-label", 4, true),
            ]
        );
    }

    #[test]
    fn a_column_of_free_text_is_no_column_of_labels() {
        let rows: String = (0..40).map(|at| format!("prompt {at},label{at}\n")).collect();
        let (mut rows, _folder) = opened(&format!("prompt,label\n{rows}"), None).expect("a table");
        let error = rows.batch(100).err().expect("too many").to_string();
        assert!(error.ends_with("line 34: more than 32 different words in the column `label`"), "{error}");
        assert!(opened("prompt,label\na,b\n", Some("lang")).is_err());
    }
}
