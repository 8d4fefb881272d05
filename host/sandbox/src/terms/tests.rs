use proptest::prelude::*;

use super::*;

fn manifest() -> Manifest {
    let setting = |name: &str, form| SettingInfo {
        name: name.to_owned(),
        summary: "what it does".to_owned(),
        unit: String::new(),
        form,
    };
    Manifest {
        settings: vec![
            setting("floor", SettingForm::Number { default: 0.6, min: 0.0, max: 1.0 }),
            setting("strict", SettingForm::Flag { default: false }),
            setting("mode", SettingForm::Choice { options: vec!["near".to_owned(), "far".to_owned()], default: 0 }),
            setting("models", SettingForm::Text { default: String::new() }),
        ],
        reads: Reads::parse(&["prompt".to_owned(), "seed".to_owned()]).expect("known names"),
        ..Manifest::default()
    }
}

fn settings(text: &str) -> Result<Vec<Setting>, String> {
    let terms = Terms::parse(text).map_err(|error| error.to_string())?;
    terms.settings(&manifest()).map(|settings| settings.to_vec()).map_err(|error| error.to_string())
}

#[test]
fn settings_are_given_in_the_manifests_order() {
    let text = "[settings]\nmode = \"far\"\nfloor = 1\nstrict = true\n";
    let expected = vec![Setting::Number(1.0), Setting::Flag(true), Setting::Choice(1), Setting::Text(String::new())];
    assert_eq!(settings(text), Ok(expected));
}

#[test]
fn every_mistake_names_its_line_and_what_was_wanted() {
    for (text, message) in [
        ("[settings]\nfloor = 1.5\n", "line 2: `floor` is 1.5, not from 0 to 1"),
        ("[settings]\nfloor = nan\n", "line 2: `floor` is nan, not from 0 to 1"),
        ("[settings]\n\nstrict = \"yes\"\n", "line 3: `strict` is \"yes\", not true or false"),
        ("[settings]\nmode = \"up\"\n", "line 2: `mode` is \"up\", not one of near, far"),
        ("[settings]\nflor = 0.5\n", "line 2: the plugin has no setting `flor`"),
        (
            "[setings]\nfloor = 0.5\n",
            "line 1: unknown field `setings`, expected one of `digest`, `tier`, `settings`, `limits`, `grants`",
        ),
        ("digest = \"abc\"\n", "line 1: `digest` is not 64 hexadecimal digits"),
    ] {
        assert_eq!(settings(text), Err(message.to_owned()));
    }
}

#[test]
fn limits_have_units_and_a_roof() {
    let limits = |text: &str| {
        let terms = Terms::parse(text).map_err(|error| error.to_string())?;
        terms.limits(Tier::Fast).map_err(|error| error.to_string())
    };
    let raised = limits("[limits]\nfuel = 2_000_000\nmemory = \"4MiB\"\ndeadline = \"20ms\"\n").expect("fine");
    assert_eq!((raised.fuel, raised.memory, raised.deadline_ms), (2_000_000, 4 << 20, 20));
    for text in [
        "fuel = 0",
        "fuel = 99_000_000_000",
        "memory = \"17MiB\"",
        "memory = \"4\"",
        "deadline = \"0ms\"",
        "deadline = \"MS\"",
    ] {
        assert!(limits(&format!("[limits]\n{text}\n")).is_err_and(|error| error.starts_with("line 2: ")), "{text}");
    }
}

#[test]
fn a_grant_withholds_and_never_adds() {
    let terms = Terms::parse("[grants]\nreads = [\"prompt\", \"tenant\"]\n").expect("fine");
    assert_eq!(terms.reads(&manifest()).expect("known names").names(), ["prompt"]);
    let none = Terms::parse("").expect("fine");
    assert_eq!(none.reads(&manifest()).expect("known names").names(), ["prompt", "seed"]);
}

proptest! {
    #[test]
    fn reading_never_panics(text in ".{0,200}", value in "[a-z0-9\".\\[\\]={}, -]{0,40}") {
        let _ = settings(&text);
        let _ = settings(&format!("[settings]\nfloor = {value}\n"));
        let limits = Terms::parse(&format!("[limits]\nmemory = \"{value}\"\ndeadline = \"{value}\"\n"));
        let _ = limits.map(|terms| terms.limits(Tier::Slow));
    }
}
