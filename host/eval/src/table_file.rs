//! CSV files that strangers made: opened, their headings found, and read row by row with one row in memory.
//!
//! A byte order mark, either line ending, quotes and line breaks in quotes are what CSV files have. A quote that nobody
//! closed makes the rest of the file one cell: reading ends there, before memory does.

use std::{
    fs::File,
    io::{self, BufReader, Read},
    path::Path,
};

use csv::ByteRecord;
use domain::digest::{Digest, Digester};

/// Longest row, in bytes.
const MOST_ROW: u64 = 8 << 20;
/// Line breaks of a row that seems to hold others.
const MANY_LINES: u64 = 5;
/// What people write where there is nothing.
const HOLES: [&str; 7] = ["", "-", "na", "n/a", "nan", "null", "none"];

/// A file that cannot be read as a table.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    #[error("cannot read `{file}`")]
    Read { file: String, source: io::Error },
    #[error("`{file}` is empty")]
    Empty { file: String },
    #[error("`{file}` is no UTF-8 text")]
    NotText { file: String },
    #[error("`{file}` line {line}: a row of more than {} MiB begins here", MOST_ROW >> 20)]
    LongRow { file: String, line: u64 },
    #[error("`{file}` line 1: there is no column `{missing}`")]
    Column { file: String, missing: &'static str, hint: String },
    #[error("`{file}` line 1: the column `{name}` comes twice")]
    Twice { file: String, name: String },
}

impl TableError {
    /// The reader's next step.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Read { .. } => return None,
            Self::Empty { .. } => "the first line of the file names its columns",
            Self::NotText { .. } => "save it as CSV in UTF-8",
            Self::LongRow { .. } => "is there a quote that is never closed?",
            Self::Column { hint, .. } => hint,
            Self::Twice { .. } => "give each column a name of its own",
        };
        Some(hint.to_owned())
    }
}

/// A table under its headings.
pub(crate) struct TableFile {
    pub(crate) name: String,
    /// As they are written, without the space around them.
    pub(crate) headings: Vec<String>,
    reader: csv::Reader<Source>,
    record: ByteRecord,
    /// Rows behind the headings so far.
    pub(crate) seen: u64,
    bytes: u64,
}

impl TableFile {
    /// # Errors
    ///
    /// When there is no such file, or it has no headings.
    pub(crate) fn open(path: &Path) -> Result<Self, TableError> {
        let name = path.display().to_string();
        let opened = File::open(path).and_then(|opened| {
            let about = opened.metadata()?;
            if about.is_dir() { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok((opened, about.len())) }
        });
        let (file, bytes) = match opened {
            Ok(opened) => opened,
            Err(source) => return Err(TableError::Read { file: name, source }),
        };
        let inner = BufReader::with_capacity(1 << 16, file);
        let source =
            Source { inner, digester: Digester::default(), of_this_row: 0, read: 0, last: [0; 2], has_returns: None };
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(source);
        let headings = match reader.headers() {
            Ok(headings) => headings.iter().map(|heading| heading.trim().to_owned()).collect::<Vec<_>>(),
            Err(error) => {
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(source) if is_long_row(&source) => TableError::LongRow { file: name, line: 1 },
                    csv::ErrorKind::Io(source) => TableError::Read { file: name, source },
                    _ => TableError::NotText { file: name },
                });
            }
        };
        if headings.iter().all(String::is_empty) {
            return Err(TableError::Empty { file: name });
        }
        Ok(Self { name, headings, reader, record: ByteRecord::new(), seen: 0, bytes })
    }

    /// The next row, if there is one.
    ///
    /// # Errors
    ///
    /// When the file cannot be read any further.
    pub(crate) fn next(&mut self) -> Result<Option<Cells<'_>>, TableError> {
        self.reader.get_mut().of_this_row = 0;
        let line = self.reader.position().line();
        match self.reader.read_byte_record(&mut self.record) {
            Ok(true) => {}
            Ok(false) => return Ok(None),
            Err(error) => {
                let file = self.name.clone();
                return Err(match error.into_kind() {
                    csv::ErrorKind::Io(source) if is_long_row(&source) => TableError::LongRow { file, line },
                    csv::ErrorKind::Io(source) => TableError::Read { file, source },
                    kind => TableError::Read { file, source: io::Error::other(format!("{kind:?}")) },
                });
            }
        }
        self.seen += 1;
        Ok(Some(self.cells()))
    }

    /// The row that was read last.
    pub(crate) fn cells(&self) -> Cells<'_> {
        Cells { line: self.line(), record: &self.record }
    }

    /// Where the row that was read last begins. The reader's own word for it is where it began to look, which is before
    /// blank lines, and before the LF of a CR LF.
    fn line(&self) -> u64 {
        let (at, source) = (self.reader.position(), self.reader.get_ref());
        let [before, last] = source.last;
        // Behind a quote that nobody closed, the last break of the file is part of the cell.
        let is_in_quotes = self.record.as_slice().last() == Some(&b'\n') && before != b'"';
        let is_cut = at.byte() == source.read && (last != b'\n' || is_in_quotes);
        let is_behind_its_line = source.has_returns != Some(true) && !is_cut;
        at.line().saturating_sub(u64::from(is_behind_its_line) + breaks(&self.record))
    }

    /// Of the bytes read so far: of the whole file after its last row.
    pub(crate) fn digest(&self) -> Digest {
        self.reader.get_ref().digester.digest()
    }

    /// How much of the file was read, 0 to 1. `None` of what has no size, such as a pipe.
    pub(crate) fn share(&self) -> Option<f64> {
        (self.bytes > 0).then(|| (self.reader.get_ref().read as f64 / self.bytes as f64).min(1.0))
    }

    /// The column of that name, in letters of any case.
    ///
    /// # Errors
    ///
    /// When there are two.
    pub(crate) fn place(&self, name: &str) -> Result<Option<usize>, TableError> {
        let mut found = self.headings.iter().enumerate().filter(|(_, heading)| heading.eq_ignore_ascii_case(name));
        let first = found.next().map(|(column, _)| column);
        match found.next() {
            Some(_) => Err(TableError::Twice { file: self.name.clone(), name: name.to_owned() }),
            None => Ok(first),
        }
    }

    /// Why `missing` cannot be found among the headings.
    pub(crate) fn missing(&self, missing: &'static str) -> TableError {
        let one = match self.headings.as_slice() {
            [one] => one.as_str(),
            _ => "",
        };
        let other = [';', '\t', '|'].into_iter().find(|other| one.contains(*other));
        let shown: Vec<String> = self
            .headings
            .iter()
            .take(12)
            .map(|name| format!("`{}`", name.chars().take(40).collect::<String>()))
            .collect();
        let hint = match other {
            Some(other) => format!("separate the columns with commas, not with {other:?}"),
            None => format!("the first line of the file names its columns; it names {}", shown.join(", ")),
        };
        TableError::Column { file: self.name.clone(), missing, hint }
    }
}

/// One row.
#[derive(Clone, Copy)]
pub(crate) struct Cells<'a> {
    /// Where it begins.
    pub(crate) line: u64,
    record: &'a ByteRecord,
}

impl<'a> Cells<'a> {
    pub(crate) fn len(self) -> usize {
        self.record.len()
    }

    /// Whether it goes over so many lines that it may hold other rows: behind a quote that nobody closed.
    pub(crate) fn swallows(self) -> bool {
        breaks(self.record) >= MANY_LINES
    }

    /// A cell; empty when the row has none there, `None` when it is no UTF-8.
    pub(crate) fn text(self, column: usize) -> Option<&'a str> {
        std::str::from_utf8(self.record.get(column).unwrap_or_default()).ok()
    }
}

/// Line breaks in its cells.
fn breaks(record: &ByteRecord) -> u64 {
    record.as_slice().iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Whether a cell says that there is nothing.
pub(crate) fn is_hole(cell: &str) -> bool {
    HOLES.iter().any(|hole| cell.eq_ignore_ascii_case(hole))
}

/// A reader that notes what went through it, and how much since the last row began.
struct Source {
    inner: BufReader<File>,
    digester: Digester,
    of_this_row: u64,
    read: u64,
    /// The two bytes that were read last.
    last: [u8; 2],
    /// Whether lines end with CR and LF; `None` before the first has ended.
    has_returns: Option<bool>,
}

#[derive(Debug, thiserror::Error)]
#[error("a row is too long")]
struct LongRow;

fn is_long_row(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<LongRow>())
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.of_this_row > MOST_ROW {
            return Err(io::Error::other(LongRow));
        }
        let count = self.inner.read(buffer)?;
        self.digester.update(&buffer[..count]);
        self.of_this_row += count as u64;
        self.read += count as u64;
        if self.has_returns.is_none()
            && let Some(end) = buffer[..count].iter().position(|byte| *byte == b'\n')
        {
            let before = end.checked_sub(1).map_or(self.last[1], |before| buffer[before]);
            self.has_returns = Some(before == b'\r');
        }
        self.last = match buffer[..count] {
            [.., before, last] => [before, last],
            [last] => [self.last[1], last],
            [] => self.last,
        };
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(bytes: &[u8]) -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        std::fs::write(&path, bytes).expect("written");
        (folder, path)
    }

    #[test]
    fn a_strangers_file_is_read_as_it_is_meant() {
        let (_folder, path) = written(b"\xef\xbb\xbf a , b\r\n\"x, \"\"y\"\"\r\nz\",1\r\n\r\nq,2,3\r\n");
        let mut file = TableFile::open(&path).expect("a table");
        assert_eq!(file.headings, ["a", "b"]);
        let row = file.next().expect("read").expect("a row");
        assert_eq!((row.line, row.text(0), row.text(1)), (2, Some("x, \"y\"\r\nz"), Some("1")));
        let row = file.next().expect("read").expect("a row");
        assert_eq!((row.line, row.len(), row.text(0), row.text(7)), (5, 3, Some("q"), Some("")));
        assert!(file.next().expect("read").is_none());
        assert_eq!((file.seen, file.share()), (2, Some(1.0)));
        assert_eq!(file.digest(), Digest::of(&std::fs::read(&path).expect("read")));
    }

    #[test]
    fn a_row_is_at_the_line_that_an_editor_shows() {
        for (bytes, lines) in [
            ("a\n1\n2", vec![2, 3]),
            ("a\n1\n2\n", vec![2, 3]),
            ("a\r\n1\r\n2", vec![2, 3]),
            ("a\r\n1\r\n2\r\n", vec![2, 3]),
            ("\u{feff}a\n1\n2", vec![2, 3]),
            ("\u{feff}a\r\n\r\n\r\n1\r\n2", vec![4, 5]),
            ("a\n\n\n\"1\n1\"\n\n2", vec![4, 7]),
            ("a\n1\n\"2\n2\n2\n", vec![2, 3]),
            ("a\n1\n\"2\n\"\n", vec![2, 3]),
            ("a\r\n\"1\r\n1\"\r\n\r\n\"2\r\n2\"", vec![2, 5]),
        ] {
            let (_folder, path) = written(bytes.as_bytes());
            let mut file = TableFile::open(&path).expect("a table");
            let mut found = Vec::new();
            while let Some(row) = file.next().expect("read") {
                found.push(row.line);
            }
            assert_eq!(found, lines, "{bytes:?}");
        }
    }

    #[test]
    fn a_quote_that_nobody_closed_ends_reading_before_memory_does() {
        let mut bytes = b"a,b\n1,2\n3,\"open\n".to_vec();
        bytes.resize(40 << 20, b'x');
        let (_folder, path) = written(&bytes);
        let mut file = TableFile::open(&path).expect("a table");
        assert!(file.next().expect("read").is_some());
        let error = file.next().err().expect("too long");
        assert!(matches!(error, TableError::LongRow { line: 3, .. }), "{error}");
        assert!(file.share().expect("a size") < 0.5);
    }

    #[test]
    fn what_is_no_table_is_said() {
        let opened = |bytes: &[u8]| {
            let (_folder, path) = written(bytes);
            TableFile::open(&path).err().map(|error| error.to_string())
        };
        assert!(opened(b"").is_some_and(|error| error.ends_with("is empty")));
        assert!(opened(b"\xff\xfea\0,\0b\0").is_some_and(|error| error.ends_with("no UTF-8 text")));
        assert_eq!(opened(b"a\n"), None);
    }
}
