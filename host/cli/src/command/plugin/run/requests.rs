//! What a plugin is asked about: built-in requests, a file of them, or those of a gateway's audit log.

use std::path::Path;

use domain::request::Moment;
use gateway::Case;
use ledger::{Filter, Ledger};

use crate::command::{
    load::unix_ms,
    plugin::{load, mistake::Mistake},
};

/// Largest file of requests, and most requests of one run.
const MOST_BYTES: usize = 64 << 20;
const MOST: usize = 10_000;
/// Requests as clients send them, a few of each kind.
const FIXTURES: [&str; 7] = [
    r#"{"prompt": "a red bicycle", "size": "1024x1024"}"#,
    r#"{"prompt": "a poster that says \"OPEN\" in large letters", "size": "1024x1536", "quality": "high"}"#,
    r#"{"prompt": "35mm photo of an old fisherman mending a net, no hat"}"#,
    r#"{"prompt": "watercolor of two foxes under a tree in the rain", "n": 4, "muxel": {"max_cost_usd": 0.1}}"#,
    r#"{"prompt": "a simple logo of a fox", "size": "1024x1024", "background": "transparent"}"#,
    r#"{"prompt": "thumbnail of a mountain lake", "quality": "low", "muxel": {"priority": "urgent", "max_latency_ms": 10000}}"#,
    r#"{"prompt": "an isometric diagram of a harbour with seven cranes, three ships, a lighthouse and no people", "muxel": {"min_quality": 0.6}}"#,
];

/// One request, or why a line is none.
pub(super) type Line = Result<Case, Mistake>;

/// A moment of its own for each request; apart from the time, the same ones in every run.
fn moment(index: usize) -> Moment {
    let index = index as u64;
    Moment { now_ms: unix_ms(), seed: index.wrapping_mul(0x9e37_79b9_7f4a_7c15), sequence: index, session: index % 7 }
}

fn read_body(place: &str, body: &[u8], index: usize) -> Line {
    Case::read(body, moment(index)).map_err(|error| Mistake {
        code: "request",
        reason: format!("{place}: {error}"),
        hint: error.hint(),
    })
}

pub(super) fn fixtures() -> Vec<Line> {
    FIXTURES.iter().enumerate().map(|(index, body)| read_body("built-in request", body.as_bytes(), index)).collect()
}

/// CSV with a column `prompt`, or one request's JSON body a line.
///
/// # Errors
///
/// When the file holds neither.
pub(super) fn of_file(path: &Path) -> Result<Vec<Line>, Mistake> {
    let bytes = load::read(path, MOST_BYTES)?;
    let shown = path.display();
    if bytes.len() > MOST_BYTES {
        let why = format!("`{shown}` has more than {MOST_BYTES} bytes");
        return Err(Mistake::new("requests", why, "take a part of it, such as `head -n 1000`"));
    }
    let lines = if bytes.trim_ascii_start().starts_with(b"{") { json_lines(path, &bytes) } else { csv(path, &bytes)? };
    if lines.is_empty() {
        return Err(Mistake::new("requests", format!("`{shown}` holds no request"), "one request a line"));
    }
    if lines.len() > MOST {
        let why = format!("`{shown}` holds more than {MOST} requests");
        return Err(Mistake::new("requests", why, "take a part of it, such as `head -n 1000`"));
    }
    Ok(lines)
}

fn json_lines(path: &Path, bytes: &[u8]) -> Vec<Line> {
    let lines = bytes.split(|byte| *byte == b'\n').enumerate().filter(|(_, line)| !line.trim_ascii().is_empty());
    let read =
        |(number, line): (usize, &[u8])| read_body(&format!("`{}` line {}", path.display(), number + 1), line, number);
    lines.take(MOST + 1).map(read).collect()
}

fn csv(path: &Path, bytes: &[u8]) -> Result<Vec<Line>, Mistake> {
    let shown = path.display();
    let mut rows = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let column =
        rows.headers().ok().and_then(|headings| headings.iter().position(|heading| heading.trim() == "prompt"));
    let Some(column) = column else {
        let why = format!("`{shown}` has no column `prompt`, and no JSON object in its first line");
        let hint = "give CSV whose first line names its columns, or one request's JSON body a line: {\"prompt\": \"a red bicycle\"}";
        return Err(Mistake::new("requests", why, hint));
    };
    let mut lines = Vec::new();
    for (index, row) in rows.records().enumerate().take(MOST + 1) {
        let wrong = |why: String| Mistake { code: "request", reason: format!("`{shown}`: {why}"), hint: None };
        lines.push(match row {
            Err(error) => Err(wrong(error.to_string())),
            Ok(row) => {
                let line = row.position().map_or(0, csv::Position::line);
                let prompt = row.get(column).unwrap_or_default();
                let body = serde_json::json!({"prompt": prompt, "size": "1024x1024"}).to_string();
                read_body(&format!("`{shown}` line {line}"), body.as_bytes(), index)
            }
        });
    }
    Ok(lines)
}

/// The last requests that a gateway with this data folder decided on, oldest first. Also while it runs.
///
/// # Errors
///
/// When there is no ledger that this program can read, or nothing in it.
pub(super) async fn recorded(folder: &Path, last: u32) -> Result<Vec<Line>, Mistake> {
    let reader = Ledger::open_read_only(folder).await.map_err(|error| {
        let hint = error.hint().map(str::to_owned);
        Mistake { code: "recorded", reason: format!("{:#}", anyhow::Error::new(error)), hint }
    })?;
    let failed = |error: ledger::ReadError| {
        let why = format!("{:#}", anyhow::Error::new(error));
        Mistake::new("recorded", why, "look at it with `muxel audit list --data DIR`")
    };
    let rows = reader.list(&Filter { limit: last, ..Filter::default() }).await.map_err(failed)?;
    let mut lines = Vec::new();
    for row in rows.iter().rev() {
        let stored = match reader.find(row.id).await {
            Ok(Some(stored)) => stored,
            // Deleted meanwhile, because it is old.
            Ok(None) => continue,
            Err(error) => {
                lines.push(Err(failed(error)));
                continue;
            }
        };
        // Nothing was kept of an interrupted request but its attempts.
        let Some(trace) = &stored.trace else { continue };
        if stored.prompt_kept {
            lines.push(Ok(Case::recorded(&trace.decision, stored.row.asked.as_deref().unwrap_or("auto"))));
        } else {
            let why = format!("the prompt of {} was not kept", row.id);
            lines.push(Err(Mistake::new("recorded", why, "its gateway's configuration says so: `[data] prompts`")));
        }
    }
    if lines.is_empty() {
        let why = format!("no request was recorded in `{}` yet", folder.display());
        return Err(Mistake::new("recorded", why, "send one to the gateway, or leave `--recorded` out"));
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fixtures_are_requests_that_a_gateway_takes() {
        assert!(fixtures().iter().all(Result::is_ok));
    }

    #[test]
    fn a_file_is_csv_or_json_lines() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("requests");
        let read = |text: &str| {
            std::fs::write(&file, text).expect("written");
            of_file(&file)
        };
        let lines = read("{\"prompt\": \"a\", \"n\": 2}\n\n{\"prompt\": \"\"}\nno json\n").expect("lines");
        assert_eq!(lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, false]);
        assert_eq!(lines[0].as_ref().expect("a case").request.count, 2);
        assert!(lines[1].as_ref().expect_err("empty").reason.contains("line 3"));
        let lines = read("id,prompt\n1,a red bicycle\n2,\"two\nlines\"\n3\n").expect("lines");
        assert_eq!(lines.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, true, false]);
        for wrong in ["text\nx\n", "", "prompt\n"] {
            assert!(read(wrong).is_err(), "{wrong:?}");
        }
        assert!(of_file(folder.path()).is_err());
    }
}
