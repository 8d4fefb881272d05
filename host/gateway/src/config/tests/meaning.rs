//! What a configuration means.

use std::time::Duration;

use domain::{catalogue::Latency, credits::Credits, money::MicroUsd, policy::Unpriced, price::Price, size::Size};

use super::{checked::Connection, *};

#[test]
fn nothing_written_means_every_default() {
    let Loaded { config, warnings } = parsed("").expect("nothing is wrong");
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.server.max_body, 32 << 20);
    assert_eq!(config.data.dir, PathBuf::from("conf/data"));
    assert_eq!(config.data.retention, Duration::from_secs(90 * 86_400));
    assert_eq!(*config.routes["default"], checked::Route::named("default"));
    assert!(config.keys.is_empty() && config.aliases.is_empty());
    assert_eq!(config.plugins, checked::Plugins::default());
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert_eq!(config.settings_digest(), Config::simulated(&catalogue()).settings_digest());
}

#[test]
fn without_a_configuration_every_vendor_is_simulated() {
    let config = Config::simulated(&catalogue());
    let names: Vec<String> = config.candidates().iter().map(|candidate| candidate.id.to_string()).collect();
    assert_eq!(names, ["acme/brush", "openai/picture-2@low", "openai/picture-2@high", "openai/picture-mini"]);
    let Connection::Simulated(simulation) = &config.accounts[0].connection else { panic!("not simulated") };
    assert_eq!((simulation.latency_scale, simulation.error_rate), (0.05, 0.0));
}

#[test]
fn a_provider_is_what_was_written() {
    let config = config(
        r#"
[providers.openai]
dialect = "openai"
key-env = "OPENAI_API_KEY"
price-factor = 0.5
tags = ["us", "eu"]
max-in-flight = 7

[providers.lab]
dialect = "openai"
base-url = "http://localhost:8000/v1/"
result-hosts = ["Images.Example.com", "cdn.example.com:8443"]

[providers.slow]
dialect = "simulated"
vendor = "acme"
simulate = { latency-scale = 2, outages = [{ from = "10s", for = "60s" }] }

[[models]]
name = "lab/tuned"
sizes = ["1024x1024"]
price = { per-image = "0.002 USD" }
latency = "4s"
"#,
    );
    let openai = account(&config, "openai");
    assert_eq!(openai.models.len(), 2);
    assert_eq!(openai.provider.tags, ["eu", "us"]);
    assert_eq!(openai.provider.max_in_flight, 7);
    assert_eq!(openai.provider.price_factor.of(MicroUsd(10)), MicroUsd(5));
    let Connection::Openai { base_url, keys, .. } = &openai.connection else { panic!("another dialect") };
    assert_eq!(base_url, "https://api.openai.com/v1");
    assert_eq!(exposed(keys), ["sk-from-the-environment"]);

    let Connection::Openai { base_url, keys, result_hosts } = &account(&config, "lab").connection else {
        panic!("another dialect")
    };
    assert_eq!((base_url.as_str(), keys.len()), ("http://localhost:8000/v1", 0));
    assert_eq!(*result_hosts, ["images.example.com", "cdn.example.com:8443"]);
    let tuned = model(&config, "lab", "tuned");
    assert_eq!(tuned.tiers[0].price, Some(Price::PerImage(MicroUsd(2_000))));
    assert_eq!(tuned.tiers[0].latency, Some(Latency { p50_ms: 4_000, p95_ms: 8_000 }));

    let Connection::Simulated(simulation) = &account(&config, "slow").connection else { panic!("not simulated") };
    assert_eq!(simulation.latency_scale, 2.0);
    assert_eq!(simulation.outages[0].lasts, Duration::from_secs(60));
    assert_eq!(simulation.outages[0].error_rate, 1.0);
}

#[test]
fn a_row_changes_only_what_it_names() {
    let config = config(
        "[[models]]\nname = \"openai/picture-2@low\"\nprice = { per-image = \"0.001 USD\" }\n\
         [[models]]\nname = \"openai/picture-2\"\nmax-count = 2\n",
    );
    let changed = model(&config, "openai", "picture-2");
    assert_eq!(changed.tiers[0].price, Some(Price::PerImage(MicroUsd(1_000))));
    assert_eq!(changed.tiers[1].price, Some(Price::PerImage(MicroUsd(210_000))));
    assert_eq!((changed.max_count, changed.max_prompt_chars), (2, 32_000));
    assert_eq!(changed.as_of, "2026-11-30".parse::<Date>().expect("a day"));
    assert_eq!(model(&config, "openai", "picture-mini").max_count, 10);
}

#[test]
fn aliases_are_followed_to_their_end() {
    let config = config("[aliases]\na = \"b\"\nb = \"c\"\nc = \"picture-2\"\n\"dall-e-3\" = \"auto\"\n");
    let meant: Vec<&str> = config.aliases.values().map(String::as_str).collect();
    assert_eq!(meant, ["picture-2", "picture-2", "picture-2", "auto"]);
}

#[test]
fn a_filter_admits_by_tag_and_name() {
    let config = config(
        "[providers.a]\ndialect = \"simulated\"\nvendor = \"openai\"\ntags = [\"eu\"]\n\
         [providers.b]\ndialect = \"simulated\"\nvendor = \"openai\"\n\
         [routes.eu]\ncandidates = { tags = [\"eu\"], only = [\"*/picture-2\"], never = [\"*@low\"] }\n",
    );
    let admitted: Vec<String> = config
        .candidates()
        .iter()
        .filter(|candidate| config.routes["eu"].candidates.admits(candidate))
        .map(|candidate| candidate.id.to_string())
        .collect();
    assert_eq!(admitted, ["a/picture-2@high"]);
}

#[test]
fn the_command_line_decides_where_to_listen() {
    let catalogue = catalogue();
    let with = |listen: &str| Surroundings {
        catalogue: &catalogue,
        today: Date::of_unix_ms(0),
        environment: &environment,
        folder: PathBuf::new(),
        listen: Some(listen.parse().expect("an address")),
    };
    let text = "server.listen = \"0.0.0.0:80\"";
    let config = parse("muxel.toml", text, &with("127.0.0.1:9")).expect("only this machine").config;
    assert_eq!(config.server.listen.port(), 9);
    assert!(parse("muxel.toml", "", &with("0.0.0.0:9")).is_err());
}

#[test]
fn a_key_may_be_in_a_file_beside_the_configuration() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("muxel.toml");
    let text = "[providers.openai]\ndialect = \"openai\"\nkey-file = \"openai.key\"\n";
    std::fs::write(&file, text).expect("written");
    let catalogue = catalogue();
    let loaded = || {
        let (today, folder) = (Date::of_unix_ms(0), PathBuf::new());
        load(&file, Surroundings { catalogue: &catalogue, today, environment: &environment, folder, listen: None })
    };
    let missing = loaded().expect_err("no key file").to_string();
    assert!(missing.contains("the key file cannot be read: entity not found"), "{missing}");

    std::fs::write(folder.path().join("openai.key"), "sk-from-a-file\n").expect("written");
    std::fs::create_dir(folder.path().join("plugins")).expect("made");
    let config = loaded().expect("nothing is wrong").config;
    let Connection::Openai { keys, .. } = &config.accounts[0].connection else { panic!("another dialect") };
    assert_eq!(exposed(keys), ["sk-from-a-file"]);
    assert_eq!(config.plugins.folder, Some(folder.path().join("plugins")));
    assert_eq!(config.data.dir, folder.path().join("data"));

    std::fs::write(&file, [0xff, 0xfe]).expect("written");
    assert!(loaded().expect_err("not text").to_string().contains("not text in UTF-8"));
}

#[test]
fn settings_have_one_digest_until_a_decision_could_change() {
    let digest = |text: &str| config(text).settings_digest();
    let base = "[providers.openai]\ndialect = \"simulated\"\n";
    let unchanged = ["[server]\ndrain = \"1s\"", "[data]\nprompts = \"drop\"", "# a comment", "[routes.default]"];
    for text in unchanged {
        assert_eq!(digest(&format!("{base}{text}")), digest(base), "{text}");
    }
    let changed = [
        "price-factor = 0.5",
        "weight = 2",
        "tags = [\"eu\"]",
        "[routes.default]\nmax-cost = \"1 USD\"",
        "[routes.default]\nstrategies = [\"cheapest\"]",
        "[routes.default]\ncandidates = { never = [\"*@low\"] }",
        "[aliases]\na = \"auto\"",
        "[[models]]\nname = \"openai/picture-mini\"\nprice = { per-image = \"0.02 USD\" }",
    ];
    for text in changed {
        assert_ne!(digest(&format!("{base}{text}")), digest(base), "{text}");
    }
}

#[test]
fn a_price_has_the_form_of_its_vendor() {
    let price = |form: &str| {
        let config = config(&format!("[[models]]\nname = \"acme/brush\"\nprice = {{ {form} }}\n"));
        model(&config, "acme", "brush").tiers[0].price.clone().expect("priced")
    };
    let size = |text: &str| text.parse::<Size>().expect("a size");
    let credits = |number| Credits::new(number).expect("credits");
    assert_eq!(
        price("credits = { price = \"0.01 USD\", per-picture = 3.5, by-size = { \"2048x2048\" = 7 } }"),
        Price::Credits {
            price: MicroUsd(10_000),
            per_picture: credits(3.5),
            by_size: [(size("2048x2048"), credits(7.0))].into()
        }
    );
    assert_eq!(
        price("per-second = { price = \"0.40 USD\", by-size = { \"3840x2160\" = \"0.60 USD\" } }"),
        Price::PerSecond { price: MicroUsd(400_000), by_size: [(size("3840x2160"), MicroUsd(600_000))].into() }
    );
    assert_eq!(
        price("first-megapixel = { price = \"0.03 USD\", further = \"0.015 USD\" }"),
        Price::FirstMegapixel { price: MicroUsd(30_000), further: MicroUsd(15_000), input: MicroUsd::ZERO }
    );
}

#[test]
fn a_route_has_a_baseline_and_a_policy_for_unpriced_models() {
    let config =
        config("[routes.default]\nbaseline = \"openai/picture-2@high\"\nunpriced = \"skip\"\n[routes.plain]\n");
    let route = &config.routes["default"];
    assert_eq!(route.baseline.as_ref().map(|id| id.as_str()), Some("openai/picture-2@high"));
    assert_eq!(route.unpriced, Unpriced::Skip);
    let plain = &config.routes["plain"];
    assert_eq!((&plain.baseline, plain.unpriced), (&None, Unpriced::PreferPriced));
}

#[test]
fn the_example_is_clean() {
    let loaded = parsed_with(&Catalogue::embedded(), EXAMPLE).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(loaded.warnings, []);
    assert_eq!(loaded.config.aliases["house-style"], "lab/sdxl-tuned");
    assert_eq!(loaded.config.routes["default"].caps.max_cost, Some(MicroUsd(100_000)));
}

#[test]
fn a_route_has_weights_of_its_own() {
    let config = config("[routes.thrift]\nweights = { cost = 1, quality = 0.25 }\n");
    let weights = &config.routes["thrift"].weights;
    assert_eq!(Ok(weights.clone()), "cost=1,quality=0.25".parse());
    assert!(config.routes["default"].weights.is_empty());
}

#[test]
fn a_split_has_its_arms_and_what_follows_them() {
    let config = config(
        r#"
[routes.default]
split = [{ strategy = "hybrid", weight = 95 }, { strategy = "mine", weight = 5.5 }]
shadow = ["mine-next"]
[routes.plain]
"#,
    );
    let route = &config.routes["default"];
    let split = route.split.as_ref().expect("a split");
    let arms: Vec<(&str, f64)> = split.arms().iter().map(|arm| (&*arm.strategy, arm.weight)).collect();
    assert_eq!(arms, [("hybrid", 95.0), ("mine", 5.5)]);
    assert_eq!((&route.strategies[..], &route.shadow[..]), (&["hybrid".to_owned()][..], &["mine-next".to_owned()][..]));
    // What was always there is written down as it always was.
    let plain = serde_json::to_value(&*config.routes["plain"]).expect("JSON");
    assert!(["split", "shadow", "weights"].iter().all(|key| plain.get(key).is_none()));
}

fn exposed(keys: &[checked::Secret]) -> Vec<&str> {
    keys.iter().map(checked::Secret::expose).collect()
}

#[test]
fn an_account_may_have_several_keys() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, key) in [("a.key", "sk-a"), ("b.key", "sk-b")] {
        std::fs::write(folder.path().join(name), key).expect("written");
    }
    let file = folder.path().join("muxel.toml");
    let catalogue = catalogue();
    let load = |files: &str| {
        std::fs::write(&file, format!("[providers.openai]\ndialect = \"openai\"\nkey-file = {files}\n"))
            .expect("written");
        let (today, folder) = (Date::of_unix_ms(0), PathBuf::new());
        load(&file, Surroundings { catalogue: &catalogue, today, environment: &environment, folder, listen: None })
    };
    let config = load("[\"a.key\", \"b.key\"]").expect("nothing is wrong").config;
    let Connection::Openai { keys, .. } = &config.accounts[0].connection else { panic!("another dialect") };
    assert_eq!(exposed(keys), ["sk-a", "sk-b"]);
    for (files, problem) in [
        ("[]", "this list names no key"),
        ("[\"a.key\", \"a.key\"]", "this is the same key as one before it"),
        ("7", "must be a string, or a list of strings"),
        ("[\"a.key\", 7]", "must be text in quotes"),
    ] {
        let said = load(files).expect_err(files).to_string();
        assert!(said.contains(problem), "{files}: {said}");
    }
}
