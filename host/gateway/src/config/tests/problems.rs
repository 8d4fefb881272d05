//! What is reported, where, and with which hint. Long, because what an operator reads stands beside what was written.

use super::*;

#[test]
fn every_problem_is_reported_at_once_with_its_line_and_a_hint() {
    let text = r#"
[server]
lsten = "127.0.0.1:8080"
max-body = 32
port = 5
drain = "soon"
header_timeout = "10s"

[data]
retention = "90"
prompts = "keep"

[providers.openai]
dialct = "openai"
key-env = "OPENAI_API_KEY"

[providers.bfl-eu]
dialect = "bfl"
price-factor = -1

[providers.lab]
dialect = "openai"
base-url = "http://10.0.0.5:8000/v1"
api-key = "sk-do-not-show"

[providers.xai]
dialect = "openai"
vendor = "opnai"
key-env = "XAI_API_KEY"

[[models]]
name = "lab/tuned"
sizes = ["1024x1024", "big", "0x0"]
price = { per-image = "0.002" }

[[models]]
quality = 0.5

[[models]]
name = "openai/picture-2"
quality = 5

[aliases]
a = "b"
b = "a"
auto = "openai/picture-2"

[routes.default]
strategies = []
max-cost = 0.10
deadline = 300

[routes.Thumbs]
on-fault = "ignore"
candidates = ["xai/*"]

[[keys]]
name = "studio"
hash = "sk-do-not-show"
routes = ["defualt", "Thumbs"]
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    error: unknown key `lsten`
      --> muxel.toml:3:1 (server.lsten)
    hint: did you mean `listen`?

    error: `server.max-body` must be a size with its unit, like "32MiB", not the integer 32
      --> muxel.toml:4:12 (server.max-body)
    hint: write it like `max-body = "32MiB"`

    error: unknown key `port`
      --> muxel.toml:5:1 (server.port)
    hint: address and port go together: `listen = "127.0.0.1:8080"`

    error: `soon` is not a whole number with a unit
      --> muxel.toml:6:9 (server.drain)
    hint: write it like "300s"

    error: unknown key `header_timeout`
      --> muxel.toml:7:1 (server.header_timeout)
    hint: did you mean `header-timeout`?

    error: `90` has no unit
      --> muxel.toml:10:13 (data.retention)
    hint: write it with its unit, like "90s"

    error: `keep` is not known as `prompts`
      --> muxel.toml:11:11 (data.prompts)
    hint: known here: `store`, `hash`, `drop`

    error: unknown key `dialct`
      --> muxel.toml:14:1 (providers.openai.dialct)
    hint: did you mean `dialect`?

    error: dialect `bfl` is not spoken yet: this version speaks `openai` and `simulated`
      --> muxel.toml:18:11 (providers.bfl-eu.dialect)
    hint: if the server has OpenAI's images interface too, use `openai` with its `base-url`

    error: `-1` is not a factor for prices
      --> muxel.toml:19:16 (providers.bfl-eu.price-factor)
    hint: write 0 to 100, like 0.75 for a discount of 25 %

    error: `base-url` is `http` to another machine: anyone between can read key and prompts
      --> muxel.toml:23:12 (providers.lab.base-url)
    hint: use `https`, or accept it with `allow-http = true`

    error: unknown key `api-key`
      --> muxel.toml:24:1 (providers.lab.api-key)
    hint: keys are never written here: name the environment variable that holds it with `key-env`, or a file with `key-file`

    error: the catalogue has no vendor `opnai`
      --> muxel.toml:28:10 (providers.xai.vendor)
    hint: did you mean `openai`?

    error: environment variable `XAI_API_KEY` is not set
      --> muxel.toml:29:11 (providers.xai.key-env)
    hint: set it: `export XAI_API_KEY=...`, or name another one

    error: size `big` is not WIDTHxHEIGHT in pixels, like "1024x1024"
      --> muxel.toml:33:23 (models[0].sizes[1])
    hint: write sizes like `sizes = ["1024x1024"]`

    error: size `0x0` is out of range: each side is 1 to 16384 pixels
      --> muxel.toml:33:30 (models[0].sizes[2])
    hint: write sizes like `sizes = ["1024x1024"]`

    error: `0.002` is not an amount
      --> muxel.toml:34:23 (models[0].price.per-image)
    hint: write it with its unit, like "0.10 USD"

    error: `models[1]` needs `name`
      --> muxel.toml:36:1 (models[1])
    hint: a name tells it from the others

    error: `5` is out of range
      --> muxel.toml:41:11 (models[2].quality)
    hint: write 0 to 1

    error: alias `a` leads back to itself
      --> muxel.toml:44:5 (aliases.a)
    hint: let one of them name a model or `auto`

    error: alias `b` leads back to itself
      --> muxel.toml:45:5 (aliases.b)
    hint: let one of them name a model or `auto`

    error: `auto` cannot be an alias
      --> muxel.toml:46:8 (aliases.auto)
    hint: it means that Muxel chooses: give the alias another name

    error: a route needs a strategy
      --> muxel.toml:49:14 (routes.default.strategies)
    hint: name one, like `strategies = ["hybrid"]`, or leave it out

    error: `routes.default.max-cost` must be an amount of money with its unit, like "0.10 USD", not the number 0.10
      --> muxel.toml:50:12 (routes.default.max-cost)
    hint: write it like `max-cost = "0.10 USD"`

    error: `routes.default.deadline` must be a duration with its unit, like "300s", not the integer 300
      --> muxel.toml:51:12 (routes.default.deadline)
    hint: write it like `deadline = "300s"`

    error: `Thumbs` is not a name for a route
      --> muxel.toml:53:1 (routes.Thumbs)
    hint: use small letters, digits and dashes, like `my-name`

    error: `ignore` is not known as `on-fault`
      --> muxel.toml:54:12 (routes.Thumbs.on-fault)
    hint: known here: `fallback`, `refuse`

    error: `routes.Thumbs.candidates` must be a table, not a list
      --> muxel.toml:55:14 (routes.Thumbs.candidates)
    hint: write it like `candidates = { only = ["openai/*"] }`

    error: `hash` is not 64 hexadecimal digits
      --> muxel.toml:59:8 (keys[0].hash)
    hint: make a key and its hash with `muxel key new`; never write the key itself

    error: there is no route `defualt`
      --> muxel.toml:60:11 (keys[0].routes[0])
    hint: did you mean `default`?
    "##);
}

#[test]
fn forgotten_quotes_do_not_hide_the_other_problems() {
    let text = r#"
[server]
listen = 127.0.0.1:8080
[data]
retention = 90d
lsten = 5
prompts = store
[providers.openai]
dialect = "openai"
key-env = sk-do-not-show
[routes.default]
max-cost = 0.10 USD
deadline = 5s
fall-over-after-charge = True
deadline = "5s"
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    error: `server.listen` is neither a number nor text in quotes
      --> muxel.toml:3:15 (server.listen)
    hint: put it in quotes: "127.0.0.1:8080"

    error: `data.retention` is neither a number nor text in quotes
      --> muxel.toml:5:13 (data.retention)
    hint: put it in quotes: "90d"

    error: unknown key `lsten`
      --> muxel.toml:6:1 (data.lsten)
    hint: known here: `dir`, `prompts`, `retention`, `media`, `media-keep`, `answers`

    error: `data.prompts` is neither a number nor text in quotes
      --> muxel.toml:7:11 (data.prompts)
    hint: put it in quotes: "store"

    error: `providers.openai.key-env` is neither a number nor text in quotes
      --> muxel.toml:10:11 (providers.openai.key-env)
    hint: put it in quotes

    error: `routes.default.max-cost` is neither a number nor text in quotes
      --> muxel.toml:12:12 (routes.default.max-cost)
    hint: put it in quotes: "0.10 USD"

    error: `routes.default.deadline` is neither a number nor text in quotes
      --> muxel.toml:13:12 (routes.default.deadline)
    hint: put it in quotes: "5s"

    error: `routes.default.fall-over-after-charge` is not understood
      --> muxel.toml:14:26 (routes.default.fall-over-after-charge)
    hint: write `true` in small letters

    error: `deadline` is there already
      --> muxel.toml:15:1
    hint: write each key and each table once
    "##);
}

#[test]
fn text_that_is_not_toml_is_reported_without_what_follows_from_it() {
    insta::assert_snapshot!(complaints("[server\nlisten = 5\n"), @r##"
    error: this is not TOML: unclosed table, expected `]`
      --> muxel.toml:1:8
    "##);
    insta::assert_snapshot!(complaints("[data]\nlimit : 5\nx = 1\n"), @r##"
    error: this is not TOML: key with no value, expected `=`
      --> muxel.toml:2:7
    "##);
}

#[test]
fn sections_of_another_shape_are_shown_how_they_are_written() {
    let text = "server = 5\nproviders = \"sk-do-not-show\"\n[[data]]\n[models.tuned]\n[keys.studio]\n";
    insta::assert_snapshot!(complaints(text), @r##"
    error: `server` must be a table, not an integer
      --> muxel.toml:1:10 (server)
    hint: begin it with `[server]`

    error: `providers` must be a table, not a string
      --> muxel.toml:2:13 (providers)
    hint: begin it with `[providers]`

    error: `data` must be a table, not a list
      --> muxel.toml:3:1 (data)
    hint: begin it with `[data]`

    error: `models` must be a list of tables, not a table
      --> muxel.toml:4:2 (models)
    hint: begin each of them with `[[models]]`

    error: `keys` must be a list of tables, not a table
      --> muxel.toml:5:2 (keys)
    hint: begin each of them with `[[keys]]`
    "##);
}

#[test]
fn price_forms_are_checked_to_the_last_key() {
    let text = r#"
[[models]]
name = "acme/a"
price = { per-image = "1 USD", by-size = {} }
[[models]]
name = "acme/b"
price = { per-pic = "1 USD" }
[[models]]
name = "acme/c"
price = { per-megapixel = { cost = "1 USD" } }
[[models]]
name = "acme/d"
price = { by-size = { big = "1 USD" } }
[[models]]
name = "acme/e"
price = "1 USD"
[[models]]
name = "acme/f"
price = { tokens = { text-in = "5 USD", out = "30 USD", expected-out = {} } }
[[models]]
name = "acme/g"
price = { credits = { price = "0.01 USD" } }
[[models]]
name = "acme/h"
price = { credits = { price = "0.01 USD", per-picture = -1 } }
[[models]]
name = "acme/i"
price = { per-second = "0.40 USD" }
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    warning: no `[providers]` are configured, so pictures are simulated
      --> muxel.toml
    hint: name an account: `[providers.openai]` with `dialect = "openai"` and `key-env = "OPENAI_API_KEY"`

    error: `models[0].price` has several forms, but needs exactly one
      --> muxel.toml:4:9 (models[0].price)
    hint: write it like `price = { per-image = "0.04 USD" }`

    error: `per-pic` is not known here
      --> muxel.toml:7:11 (models[1].price.per-pic)
    hint: did you mean `per-megapixel`? known here: `per-image`, `by-size`, `per-megapixel`, `first-megapixel`, `per-second`, `credits`, `tokens`

    error: `models[2].price.per-megapixel` needs `price`
      --> muxel.toml:10:27 (models[2].price.per-megapixel)
    hint: money is written with its unit, like "0.10 USD"

    error: unknown key `cost`
      --> muxel.toml:10:29 (models[2].price.per-megapixel.cost)
    hint: known here: `price`, `step-hundredths`, `base`

    error: size `big` is not WIDTHxHEIGHT in pixels, like "1024x1024"
      --> muxel.toml:13:23 (models[3].price.by-size.big)

    error: `models[4].price` must be a table, not a string
      --> muxel.toml:16:9 (models[4].price)
    hint: write it like `price = { per-image = "0.04 USD" }`

    error: a price by size needs at least one size
      --> muxel.toml:19:9 (models[5].price)
    hint: name at least one, or leave it out

    error: `models[6].price.credits` needs `per-picture`
      --> muxel.toml:22:21 (models[6].price.credits)
    hint: how many credits a picture takes, like `per-picture = 3.5`

    error: `models[7].price.credits.per-picture` must be a number of credits from 0 to a billion, not the integer -1
      --> muxel.toml:25:57 (models[7].price.credits.per-picture)

    error: `models[8].price` needs a form
      --> muxel.toml:28:9 (models[8].price)
    hint: write it like `price = { per-image = "0.04 USD" }`

    error: `models[8].price.per-second` must be a table, not a string
      --> muxel.toml:28:24 (models[8].price.per-second)
    hint: write it like `per-second = { price = "0.40 USD" }`
    "##);
}

#[test]
fn aliases_and_filters_name_what_there_is() {
    let text = r#"
[providers.openai]
dialect = "openai"
key-env = "OPENAI_API_KEY"
[aliases]
good = "picture-2"
chain = "good"
mine = "auto/mine"
typo = "openai/pictur-2"
[routes.default]
candidates = { only = ["opnai/*", "openai/*"], tags = ["eu"] }
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    error: no provider has the model `openai/pictur-2`
      --> muxel.toml:9:8 (aliases.typo)
    hint: did you mean `openai/picture-2`?

    error: route `default` has no candidates
      --> muxel.toml:11:14 (routes.default.candidates)
    hint: every request to it would be refused: loosen `tags`, `only` or `never`

    warning: `opnai/*` names no candidate
      --> muxel.toml:11:24 (routes.default.candidates.only[0])
    hint: did you mean `openai/picture-2`?

    warning: no provider has the tag `eu`
      --> muxel.toml:11:56 (routes.default.candidates.tags[0])
    hint: give it to a provider: `tags = [..]`
    "##);
}

#[test]
fn a_baseline_is_one_candidate_and_a_policy_one_of_three_words() {
    let text = r#"
[providers.openai]
dialect = "openai"
key-env = "OPENAI_API_KEY"
[routes.default]
baseline = "openai/picture-2@hihg"
unpriced = "prefer"
[routes.tiers]
baseline = "openai/picture-2"
[routes.nobody]
baseline = "zzzz"
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    error: there is no candidate `openai/picture-2@hihg` to compare with
      --> muxel.toml:6:12 (routes.default.baseline)
    hint: did you mean `openai/picture-2@high`, `openai/picture-2@low`, `openai/picture-mini`? `muxel models` lists them

    error: `prefer` is not known as `unpriced`
      --> muxel.toml:7:12 (routes.default.unpriced)
    hint: did you mean `prefer-priced`? known here: `prefer-priced`, `skip`, `allow`

    error: `openai/picture-2` has several tiers: which one do you use now?
      --> muxel.toml:9:12 (routes.tiers.baseline)
    hint: write one of openai/picture-2@low, openai/picture-2@high

    error: there is no candidate `zzzz` to compare with
      --> muxel.toml:11:12 (routes.nobody.baseline)
    hint: write `provider/model@tier`; `muxel models` lists them
    "##);
}

#[test]
fn a_price_for_several_tiers_must_say_whose_it_is() {
    let text = "[[models]]\nname = \"openai/picture-2\"\nprice = { per-image = \"0.001 USD\" }\n\
                [[models]]\nname = \"openai/picture-2@hihg\"\nquality = 0.9\ntransparent = true\n";
    insta::assert_snapshot!(complaints(text), @r##"
    warning: no `[providers]` are configured, so pictures are simulated
      --> muxel.toml
    hint: name an account: `[providers.openai]` with `dialect = "openai"` and `key-env = "OPENAI_API_KEY"`

    error: `picture-2` has several tiers: whose `price` is this?
      --> muxel.toml:3:9 (models[0].price)
    hint: end the name with one of @low, @high

    error: `picture-2` has no tier `hihg`
      --> muxel.toml:5:8 (models[1].name)
    hint: did you mean `high`?

    error: `transparent` belongs to the whole model, not to one tier
      --> muxel.toml:7:15 (models[1].transparent)
    hint: write it in a row whose name has no `@`
    "##);
}

#[test]
fn only_this_machine_may_call_without_keys() {
    insta::assert_snapshot!(complaints("[providers]\n[server]\nlisten = \"0.0.0.0:8080\"\n"), @r##"
    error: listening on `0.0.0.0:8080` without keys would let anyone who reaches it spend money
      --> muxel.toml:3:10 (server.listen)
    hint: make a key with `muxel key new` and add it as `[[keys]]`, or listen on 127.0.0.1
    "##);
    let key = format!("[[keys]]\nname = \"studio\"\nhash = \"{}\"\n", "ab".repeat(32));
    assert_eq!(config(&format!("server.listen = \"0.0.0.0:80\"\n{key}")).keys.len(), 1);
    assert_eq!(config("server.listen = \"[::1]:80\"").server.listen.port(), 80);

    assert!(complaints("keys = []\n[server]\nlisten = \"0.0.0.0:80\"\n").contains("without keys"));

    let everywhere = "[::]:80".parse().expect("an address");
    assert!(objection_to(everywhere, false).is_some());
    assert!(objection_to(everywhere, true).is_none());
}

#[test]
fn a_weight_that_cannot_be_is_reported_by_name() {
    let text = r#"[providers]
[routes.default]
weights = { quality = -0.5, cost = nan, "Time!" = 0.5, latency = "much" }
[routes.zero]
weights = { quality = 0, cost = 0.0, latency = 0, reliability = 0 }
[routes.huge]
weight = 1
weights.quality = 1e300
"#;
    let said = complaints(text);
    for (problem, place) in [
        ("the weight `quality` is -0.5, not a number from 0 to 1", "3:23 (routes.default.weights.quality)"),
        ("the weight `cost` is NaN, not a number from 0 to 1", "3:36 (routes.default.weights.cost)"),
        ("`Time!` is not a name for a weight", "(routes.default.weights.\"Time!\")"),
        ("`routes.default.weights.latency` must be a number, not a string", "(routes.default.weights.latency)"),
        ("every weight is 0", "5:11 (routes.zero.weights)"),
        ("unknown key `weight`", "did you mean `weights`"),
        ("the weight `quality` is 1000000", "8:19 (routes.huge.weights.quality)"),
    ] {
        assert!(said.contains(problem) && said.contains(place), "{problem} {place} in:\n{said}");
    }
}

#[test]
fn a_split_that_cannot_be_is_reported_arm_by_arm() {
    let text = r#"[providers]
[routes.default]
split = [
    { strategy = "hybrid", weight = -1 },
    { strategy = "hybrid", weight = nan },
    { strategy = "mine.wasm", wieght = 5 },
    "mine",
]
shadow = ["mine", "mine", "../x"]
[routes.none]
split = []
[routes.nobody]
split = [{ strategy = "a", weight = 0 }]
[routes.table]
split = { hybrid = 95 }
"#;
    insta::assert_snapshot!(complaints(text), @r##"
    error: `-1` is not a weight
      --> muxel.toml:4:37 (routes.default.split[0].weight)
    hint: write a number from 0 up, like 95: shares are parts of the sum of all weights

    error: `hybrid` is named twice
      --> muxel.toml:5:18 (routes.default.split[1].strategy)
    hint: add their weights up in one arm

    error: `NaN` is not a weight
      --> muxel.toml:5:37 (routes.default.split[1].weight)
    hint: write a number from 0 up, like 95: shares are parts of the sum of all weights

    error: unknown key `wieght`
      --> muxel.toml:6:31 (routes.default.split[2].wieght)
    hint: did you mean `weight`?

    error: `routes.default.split[3]` must be a table, not a string
      --> muxel.toml:7:5 (routes.default.split[3])
    hint: write it like `split = [{ strategy = "hybrid", weight = 95 }]`

    error: `mine` is named twice
      --> muxel.toml:9:19 (routes.default.shadow[1])
    hint: it would give the same answer again: keep one

    error: `../x` cannot be a plugin's name
      --> muxel.toml:9:27 (routes.default.shadow[2])
    hint: name its file without folder and `.wasm`

    error: a split needs arms
      --> muxel.toml:11:9 (routes.none.split)
    hint: write it like `split = [{ strategy = "hybrid", weight = 95 }, { strategy = "mine", weight = 5 }]`

    error: every weight of this split is 0
      --> muxel.toml:13:9 (routes.nobody.split)
    hint: give one of them some weight

    error: `routes.table.split` must be a list, like [{ strategy = "hybrid", weight = 95 }], not a table
      --> muxel.toml:15:9 (routes.table.split)
    "##);
    let names = |count: usize| (0..count).map(|index| format!("\"s{index}\", ")).collect::<String>();
    assert!(complaints(&format!("[routes.default]\nshadow = [{}]", names(9))).contains("9 shadows are too many"));
    let arms: String = (0..17).map(|index| format!("{{ strategy = \"s{index}\", weight = 1 }}, ")).collect();
    assert!(complaints(&format!("[routes.default]\nsplit = [{arms}]")).contains("17 arms are too many"));
}

#[test]
fn signatures_need_keys_that_are_keys() {
    const KEY: &str = "RWQf6LRCGA9i53mlYecO4IzT51TGPpvWucNSCh1CBM0QTaLn73Y7GFO3";
    let text = format!("[providers]\n[plugins]\ntrusted-keys = [\"{KEY}\", \"{KEY}\", \"{}\"]", &KEY[..55]);
    insta::assert_snapshot!(complaints(&text), @r##"
    error: this key is named twice
      --> muxel.toml:3:77 (plugins.trusted-keys[1])
    hint: keep one of them

    error: this is not a minisign public key
      --> muxel.toml:3:137 (plugins.trusted-keys[2])
    hint: name the second line of the author's `minisign.pub`: 56 characters that begin with `RW`
    "##);
    insta::assert_snapshot!(complaints("[providers]\n[plugins]\nrequire-signatures = true\n"), @r##"
    error: no plugin could be loaded: signatures are required and no key is trusted
      --> muxel.toml:3:22 (plugins.require-signatures)
    hint: name the keys of those who may sign: `trusted-keys = ["RW.."]`
    "##);
    let trusted = config(&format!("[plugins]\ntrusted-keys = [\"{KEY}\"]\nrequire-signatures = true\n"));
    assert_eq!(trusted.plugins.trusted_keys, [KEY]);
    assert!(trusted.plugins.require_signatures);
}
