//! Configurations that nobody would write, and secrets where they do not belong.

use proptest::prelude::*;

use super::*;

#[test]
fn no_error_shows_a_secret() {
    const SECRET: &str = "sk-do-Not-Show-1";
    let provider = |line: &str| format!("[providers.openai]\ndialect = \"openai\"\n{line}\n");
    let with = |key: &str| provider(&format!("{key} = \"{SECRET}\""));
    let texts = [
        with("key"),
        with("api-key"),
        with("key-env"),
        with("key-file"),
        with("base-url"),
        with("token"),
        provider(&format!("key-env = {SECRET}")),
        provider(&format!("key-env = [\"{SECRET}\"]")),
        provider(&format!("key-env = [\"OPENAI_API_KEY\", {SECRET}]")),
        provider(&format!("key-file = {{ path = \"{SECRET}\" }}")),
        provider(&format!("base-url = \"https://user:{SECRET}@example.com/v1\"")),
        provider(&format!("base-url = \"https://example.com/v1?key={SECRET}\"")),
        provider(&format!("base-url = \"https://example.com/v1?api-version=1&key={SECRET}\"")),
        provider(&format!("base-url = \"http://{SECRET}@example.com\"")),
        provider(&format!("result-hosts = [\"https://{SECRET}\"]")),
        format!("server.public-url = \"https://:{SECRET}@example.com\""),
        format!("keys = \"{SECRET}\""),
        format!("keys = [\"{SECRET}\"]"),
        format!("providers.openai = \"{SECRET}\""),
        format!("[[keys]]\nname = \"a\"\nhash = \"{SECRET}\""),
        format!("[[keys]]\nname = \"a\"\nkey = \"{SECRET}\""),
        format!("[[keys]]\nname = \"a\"\nhash = {{ sha256 = \"{SECRET}\" }}"),
    ];
    for text in texts {
        let found = parsed(&text).expect_err(&text);
        let json = serde_json::to_string(&found).expect("JSON");
        for shown in [found.to_string(), format!("{found:?}"), json] {
            assert!(!shown.contains(SECRET), "{text}\n{shown}");
        }
    }
    let config = config(&provider("key-env = \"OPENAI_API_KEY\""));
    assert!(!format!("{config:?}").contains("sk-from-the-environment"));
    assert!(!String::from_utf8_lossy(&config.settings()).contains("sk-from-the-environment"));
}

#[test]
fn there_are_never_more_than_fifty_problems() {
    let text: String = (0..200).map(|number| format!("unknown-{number} = 1\n")).collect();
    let found = parsed(&text).expect_err("many problems");
    assert_eq!((found.problems.len(), found.more), (problem::MOST, true));
    let unquoted: String = (0..20_000).map(|number| format!("unknown-{number} = x\n")).collect();
    let found = parsed(&unquoted).expect_err("many problems");
    assert_eq!((found.problems.len(), found.more), (problem::MOST, true));
    let routes: String = (0..200).map(|number| format!("routes.R{number} = {{}}\n")).collect();
    let found = parsed(&routes).expect_err("many problems");
    assert_eq!((found.problems.len(), found.more), (problem::MOST, true));
}

#[test]
fn no_number_of_warnings_hides_an_error() {
    let patterns: String = (0..200).map(|number| format!("\"nobody/{number}\", ")).collect();
    let text = format!("server.listen = \"0.0.0.0:80\"\n[routes.default]\ncandidates = {{ never = [{patterns}] }}\n");
    let found = parsed(&text).expect_err("without keys").to_string();
    assert!(found.contains("listening on `0.0.0.0:80` without keys"), "{found}");
}

#[test]
fn deep_nesting_is_no_way_to_end_the_program() {
    let nested = (0..70).fold("1".to_owned(), |inner, _| format!("{{ {}z = {inner} }}", "k.".repeat(70)));
    for text in [
        format!("a = {}", "[".repeat(100_000)),
        format!("{}x = 1", "a.".repeat(100_000)),
        format!("[{}x]", "a.".repeat(100_000)),
        format!("a = {nested}"),
    ] {
        assert!(parsed(&text).is_err());
    }
}

/// Whether what was said about `text` can be shown.
fn is_presentable(text: &str, result: &Result<Loaded, Problems>) -> bool {
    let Err(found) = result else { return true };
    let lines = text.split('\n').count();
    !found.problems.is_empty()
        && found.problems.len() <= problem::MOST
        && found.problems.iter().all(|problem| problem.line.is_none_or(|line| (1..=lines).contains(&line)))
        && !found.to_string().contains('\u{1b}')
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "(\\PC|\n|\"|\\[|\\]|=|\u{1b}){0,200}") {
        let result = parsed(&text);
        prop_assert!(is_presentable(&text, &result));
    }

    #[test]
    fn a_damaged_configuration_is_read_or_refused(
        cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..30, damage()), 1..6),
    ) {
        let mut text = EXAMPLE.to_owned();
        for (place, length, put) in cuts {
            let floor = |mut byte: usize| {
                while !text.is_char_boundary(byte) {
                    byte -= 1;
                }
                byte
            };
            let start = floor(place.index(text.len() + 1));
            let end = floor((start + length).min(text.len()));
            text.replace_range(start.min(end)..end, &put);
        }
        let result = parsed(&text);
        prop_assert!(is_presentable(&text, &result));
    }
}

/// What may stand in the place of some bytes.
fn damage() -> impl Strategy<Value = String> {
    const TOKENS: [&str; 16] =
        ["", "\n", "[", "]", "[[", "{", "}", "=", "\"", ",", "5", "true", "\"x\"", "[server]\n", "\u{1b}[2J", "ä"];
    prop_oneof![prop::sample::select(&TOKENS[..]).prop_map(str::to_owned), "\\PC{0,6}"]
}
