//! Tables where tables belong.
//!
//! `serde` would take a list for a table, field by field, and call what it cannot read "expected struct Provider".
//! This pass finds both first and says how the section is written.

use toml::de::{DeTable, DeValue};

use super::{
    problem::{Findings, Severity},
    source::{self, Path, Source, Step},
};

#[derive(Clone, Copy)]
enum Shape {
    /// `[section]`.
    Table,
    /// `[[section]]`.
    Tables,
    /// `key = { .. }`, and an example of it.
    Inline(&'static str),
}

/// What has to have which shape; `*` is any key or any element, `[]` any element. Outer ones first.
const SHAPES: [(&[&str], Shape); 21] = [
    (&["server"], Shape::Table),
    (&["data"], Shape::Table),
    (&["plugins"], Shape::Table),
    (&["providers"], Shape::Table),
    (&["aliases"], Shape::Table),
    (&["routes"], Shape::Table),
    (&["models"], Shape::Tables),
    (&["keys"], Shape::Tables),
    (&["models", "*"], Shape::Tables),
    (&["keys", "*"], Shape::Tables),
    (&["providers", "*"], Shape::Table),
    (&["routes", "*"], Shape::Table),
    (&["providers", "*", "simulate"], Shape::Inline("{ error-rate = 0.1 }")),
    (&["routes", "*", "split", "[]"], Shape::Inline("[{ strategy = \"hybrid\", weight = 95 }]")),
    (&["routes", "*", "candidates"], Shape::Inline("{ only = [\"openai/*\"] }")),
    (&["models", "*", "price"], Shape::Inline("{ per-image = \"0.04 USD\" }")),
    (&["models", "*", "price", "per-megapixel"], Shape::Inline("{ price = \"0.03 USD\" }")),
    (&["models", "*", "price", "first-megapixel"], Shape::Inline("{ price = \"0.03 USD\", further = \"0.015 USD\" }")),
    (&["models", "*", "price", "per-second"], Shape::Inline("{ price = \"0.40 USD\" }")),
    (&["models", "*", "price", "credits"], Shape::Inline("{ price = \"0.01 USD\", per-picture = 3.5 }")),
    (
        &["models", "*", "price", "tokens"],
        Shape::Inline(
            "{ text-in = \"5 USD\", out = \"30 USD\", expected-out = { \"1024x1024\" = 1000 } }, each per million",
        ),
    ),
];

/// Takes out of `tree` what has another shape than it must have, and reports it.
pub(super) fn check(source: &Source<'_>, tree: &mut DeTable<'_>, findings: &mut Findings) {
    for (pattern, shape) in SHAPES {
        let mut wrong = Vec::new();
        for (key, value) in tree.iter().filter(|(key, _)| pattern[0] == "*" || key.get_ref() == pattern[0]) {
            collect(value.get_ref(), &pattern[1..], shape, &mut vec![Step::from(key.get_ref().as_ref())], &mut wrong);
        }
        // Last first: taking out an element moves those after it.
        for path in wrong.into_iter().rev() {
            if findings.full() {
                findings.cut();
                return;
            }
            report(source, tree, &path, shape, findings);
            source::remove(tree, &path);
        }
    }
}

fn collect(value: &DeValue<'_>, pattern: &[&str], shape: Shape, way: &mut Vec<Step>, wrong: &mut Vec<Path>) {
    let Some((first, rest)) = pattern.split_first() else {
        let fits = match (shape, way.last()) {
            (Shape::Tables, Some(Step::Key(_))) => value.is_array(),
            (Shape::Table | Shape::Tables | Shape::Inline(_), _) => value.is_table(),
        };
        if !fits {
            wrong.push(Path(way.clone()));
        }
        return;
    };
    match value {
        DeValue::Table(table) => {
            for (key, value) in table.iter().filter(|(key, _)| *first == "*" || key.get_ref() == first) {
                way.push(Step::from(key.get_ref().as_ref()));
                collect(value.get_ref(), rest, shape, way, wrong);
                way.pop();
            }
        }
        DeValue::Array(array) if *first == "*" || *first == "[]" => {
            for (index, element) in array.iter().enumerate() {
                way.push(Step::Index(index));
                collect(element.get_ref(), rest, shape, way, wrong);
                way.pop();
            }
        }
        _ => {}
    }
}

fn report(source: &Source<'_>, tree: &DeTable<'_>, path: &Path, shape: Shape, findings: &mut Findings) {
    let Some(value) = source::get(tree, path) else { return };
    let found = value.get_ref().type_str();
    let shown = source.path_as_written(&value.span(), path);
    let section = path.0.first().map(|step| Path(vec![step.clone()])).unwrap_or_default();
    let (message, hint) = match shape {
        Shape::Table => {
            (format!("`{path}` must be a table, not {}", article(found)), format!("begin it with `[{path}]`"))
        }
        Shape::Tables => (
            format!(
                "`{path}` must be {}, not {}",
                if path.0.len() == 1 { "a list of tables" } else { "a table" },
                article(found)
            ),
            format!("begin each of them with `[[{section}]]`"),
        ),
        Shape::Inline(example) => {
            let key = path.last_key().unwrap_or_default();
            (format!("`{path}` must be a table, not {}", article(found)), format!("write it like `{key} = {example}`"))
        }
    };
    findings.add_first(source.problem(Severity::Error, Some(&value.span()), &shown, message, Some(hint)));
}

/// TOML's word for a type, with its article.
pub(super) fn article(type_name: &str) -> String {
    match type_name {
        "array" => "a list".to_owned(),
        "integer" => "an integer".to_owned(),
        other => format!("a {other}"),
    }
}
