//! Guests as WebAssembly text: what a hostile or careless plugin would do, without a toolchain.
//!
//! Each is a file in `tests/guests`, named for what it does, with the fields of a core module that make it special. What
//! it does not write itself (memory, allocator, manifest, a harmless answer) comes from `tests/guests/prelude`. The
//! contract's metadata is added and the whole encoded as a component, just as a toolchain would.
//!
//! One table says of every file how it must end, and the tests run over the table: a guest without a test cannot be
//! written down, and a file that is not in the table fails `every_file_has_a_row`.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A guest misbehaves only at prompts of this many characters: so it passes its trial calls.
pub(crate) const TRIGGER: usize = 77;

/// How a guest must end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ends {
    /// At the trigger its call is a fault with this code; otherwise it serves.
    Faults(&'static str),
    /// Its answer is taken, at the trigger, too.
    Answers,
    /// Its call ends with this word, which is no fault.
    Says(&'static str),
    /// It is never admitted: the refusal's code.
    Refused(&'static str),
}

/// What a guest is about: each theme has a test of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Theme {
    /// Takes more than it may.
    Limits,
    /// Breaks the rules of passing arguments and answers.
    Abi,
    /// Gives an answer that can be read and breaks the contract.
    Answers,
    Classifiers,
    CostModels,
    /// Looks for what another call has left.
    Traces,
    /// Is stopped at the door.
    Door,
}

/// One file of `tests/guests`.
#[derive(Debug)]
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    pub(crate) theme: Theme,
    pub(crate) ends: Ends,
    text: &'static str,
}

macro_rules! guests {
    ($($theme:ident: $($name:literal => $ends:expr),* $(,)?;)*) => {
        use Ends::*;
        /// Every guest there is.
        pub(crate) const FIXTURES: &[Fixture] = &[$($(Fixture {
            name: $name,
            theme: Theme::$theme,
            ends: $ends,
            text: include_str!(concat!("../guests/", $name, ".wat")),
        }),*),*];
    };
}

guests! {
    Limits:
        "endless-loop" => Faults("out-of-fuel"),
        "free-instructions-loop" => Faults("out-of-fuel"),
        "recursion-without-end" => Faults("stack-overflow"),
        "indirect-recursion" => Faults("stack-overflow"),
        "traps" => Faults("unreachable"),
        "divides-by-zero" => Faults("trap"),
        "reads-outside-its-memory" => Faults("trap"),
        "calls-nobody" => Faults("trap"),
        "memory-bomb" => Faults("out-of-memory"),
        "memory-by-the-page" => Faults("out-of-memory"),
        "memory-by-nothing" => Faults("out-of-fuel"),
        "memory-in-one-go" => Faults("out-of-fuel"),
        "table-bomb" => Faults("out-of-memory"),
        "table-in-one-go" => Faults("out-of-fuel"),
        "table-by-nothing" => Faults("out-of-fuel"),
        "fills-memory" => Faults("out-of-fuel"),
        "copies-memory" => Faults("out-of-fuel"),
        "touches-every-page" => Answers,
        "slow-arithmetic" => Faults("out-of-fuel"),
        "host-calls-ref-func" => Faults("out-of-fuel"),
        "host-calls-elem-drop" => Faults("out-of-fuel"),
        "host-calls-data-drop" => Faults("out-of-fuel"),
        "host-calls-init-nothing" => Faults("out-of-fuel"),
        "host-calls-table-nothing" => Faults("out-of-fuel"),
        "host-calls-copy-nothing" => Faults("out-of-fuel"),
        "handle-bomb" => Faults("unreadable-answer");
    Abi:
        "realloc-out-of-range" => Faults("unreadable-answer"),
        "realloc-over-the-end" => Faults("unreadable-answer"),
        "realloc-traps" => Faults("unreachable"),
        "realloc-loops" => Faults("out-of-fuel"),
        "realloc-grows" => Faults("out-of-memory"),
        "realloc-recurses" => Faults("stack-overflow"),
        "realloc-unaligned" => Faults("unreadable-answer"),
        "realloc-always-the-same" => Answers,
        "realloc-into-its-answer" => Faults("unreadable-answer"),
        "post-return-loops" => Faults("out-of-fuel"),
        "post-return-traps" => Faults("unreachable"),
        "post-return-grows" => Faults("out-of-memory"),
        "post-return-recurses" => Faults("stack-overflow"),
        "post-return-overwrites" => Answers,
        "post-return-makes-a-handle" => Faults("trap"),
        "realloc-makes-a-handle" => Faults("trap"),
        "handle-dropped-twice" => Faults("unreadable-answer"),
        "handle-of-nothing" => Faults("unreadable-answer"),
        "handle-of-its-own-kept-well" => Answers,
        "handle-destructor-loops" => Faults("out-of-fuel"),
        "giant-list" => Faults("unreadable-answer"),
        "giant-list-that-fits" => Faults("unreadable-answer"),
        "list-that-overflows" => Faults("unreadable-answer"),
        "unaligned-list" => Faults("unreadable-answer"),
        "empty-list-from-nowhere" => Faults("unreadable-answer"),
        "giant-string" => Faults("unreadable-answer"),
        "string-over-the-end" => Faults("unreadable-answer"),
        "wild-pointer" => Faults("unreadable-answer"),
        "overlapping-strings" => Answers,
        "answer-inside-itself" => Faults("invalid-answer"),
        "no-text" => Faults("unreadable-answer"),
        "half-a-character" => Faults("unreadable-answer"),
        "no-such-result" => Faults("unreadable-answer"),
        "no-such-refusal" => Faults("unreadable-answer"),
        "unaligned-answer" => Faults("unreadable-answer"),
        "answer-over-the-end" => Faults("unreadable-answer"),
        "answer-from-nowhere" => Faults("unreadable-answer");
    Answers:
        "candidate-out-of-range" => Faults("invalid-answer"),
        "candidate-one-too-far" => Faults("invalid-answer"),
        "candidate-twice" => Faults("invalid-answer"),
        "more-places-than-candidates" => Faults("invalid-answer"),
        "empty-ranking" => Faults("invalid-answer"),
        "score-not-a-number" => Faults("invalid-answer"),
        "score-signalling-nan" => Faults("invalid-answer"),
        "score-infinite" => Faults("invalid-answer"),
        "score-rises" => Faults("invalid-answer"),
        "propensity-of-two" => Faults("invalid-answer"),
        "propensity-not-a-number" => Faults("invalid-answer"),
        "too-many-parts" => Faults("invalid-answer"),
        "part-of-another-length" => Faults("invalid-answer"),
        "part-not-a-number" => Faults("invalid-answer"),
        "part-with-an-escape" => Faults("invalid-answer"),
        "part-with-a-long-name" => Faults("invalid-answer"),
        "part-without-a-name" => Faults("invalid-answer"),
        "reason-too-long" => Faults("invalid-answer"),
        "reason-with-escapes" => Answers,
        "says-that-it-failed" => Faults("failed"),
        "abstains" => Says("abstained"),
        "denies" => Says("denied");
    Classifiers:
        "label-empty" => Faults("invalid-answer"),
        "label-with-an-escape" => Faults("invalid-answer"),
        "label-with-a-line-break" => Faults("invalid-answer"),
        "label-too-long" => Faults("invalid-answer"),
        "confidence-not-a-number" => Faults("invalid-answer"),
        "confidence-negative" => Faults("invalid-answer"),
        "complexity-of-two" => Faults("invalid-answer"),
        "too-many-traits" => Faults("invalid-answer"),
        "trait-with-an-escape" => Faults("invalid-answer"),
        "trait-not-a-number" => Faults("invalid-answer"),
        "too-many-features" => Faults("invalid-answer"),
        "feature-infinite" => Faults("invalid-answer"),
        "a-million-features" => Faults("unreadable-answer"),
        "classifier-traps" => Faults("unreachable"),
        "classifier-denies" => Faults("denied-out-of-place");
    CostModels:
        "upper-under-expected" => Faults("invalid-answer"),
        "estimate-missing" => Faults("invalid-answer"),
        "estimate-too-many" => Faults("invalid-answer"),
        "no-estimates" => Faults("invalid-answer"),
        "no-such-option" => Faults("unreadable-answer"),
        "a-million-estimates" => Faults("unreadable-answer"),
        "cost-model-traps" => Faults("unreachable"),
        "absurd-price" => Answers,
        "all-for-free" => Answers;
    Traces:
        "leaves-a-trace" => Answers,
        "traps-with-a-trace" => Faults("unreachable"),
        "looks-for-a-trace" => Answers;
    Door:
        "loops-always" => Refused("trial"),
        "fails-at-a-hundred-candidates" => Refused("trial"),
        "fails-at-two-candidates" => Faults("unreachable"),
        "start-loops" => Refused("describe"),
        "start-traps" => Refused("describe"),
        "start-grows" => Refused("describe"),
        "start-recurses" => Refused("describe"),
        "data-out-of-range" => Refused("describe"),
        "element-out-of-range" => Refused("describe"),
        "starts-too-large" => Refused("structure"),
        "table-too-large" => Refused("does-not-compile"),
        "describe-loops" => Refused("describe"),
        "describe-traps" => Refused("describe"),
        "setting-outside-its-range" => Refused("manifest"),
        "setting-without-a-range" => Refused("manifest"),
        "setting-twice" => Refused("manifest"),
        "setting-of-no-name" => Refused("manifest"),
        "setting-of-no-kind" => Refused("describe"),
        "ten-thousand-settings" => Refused("describe"),
        "sixty-five-settings" => Refused("manifest"),
        "giant-name" => Refused("describe"),
        "reads-what-is-not-there" => Refused("manifest"),
        "odd-truth" => Answers,
        "names-with-escapes" => Answers;
}

/// What is added to a guest that does not have it: a mark of having it, and the field.
const PRELUDE: [(&str, &str); 7] = [
    ("(memory (export \"memory\")", include_str!("../guests/prelude/memory.wat")),
    ("(func (export \"cabi_realloc\")", include_str!("../guests/prelude/realloc.wat")),
    ("\"muxel:plugin/describe@0.1.0#describe\"", include_str!("../guests/prelude/describe.wat")),
    ("\"muxel:plugin/strategy@0.1.0#rank\"", include_str!("../guests/prelude/rank.wat")),
    ("\"muxel:plugin/classifier@0.1.0#classify\"", include_str!("../guests/prelude/classify.wat")),
    ("\"muxel:plugin/cost-model@0.1.0#price\"", include_str!("../guests/prelude/price.wat")),
    ("(func $misbehave", include_str!("../guests/prelude/misbehave.wat")),
];

/// What is encoded as a component.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guest {
    /// Ranks only the candidate at this index, or the last one when there are fewer.
    Picks(u32),
    /// A file of `tests/guests`.
    File(&'static Fixture),
    /// A strategy that wants a function of the host's.
    Imports,
}

impl Guest {
    pub(crate) const LOOPS: Self = Self::named("endless-loop");
    pub(crate) const TRAPS: Self = Self::named("traps");
    pub(crate) const LOOPS_ALWAYS: Self = Self::named("loops-always");

    /// The file of this name.
    pub(crate) const fn named(name: &str) -> Self {
        let mut index = 0;
        while index < FIXTURES.len() {
            if same(FIXTURES[index].name, name) {
                return Self::File(&FIXTURES[index]);
            }
            index += 1;
        }
        panic!("no such guest")
    }

    /// The component's bytes.
    pub(crate) fn component(self) -> Vec<u8> {
        match self {
            Self::Imports => wat::parse_str(
                r#"(component
                    (import "wasi:sockets/instance-network@0.2.0" (instance
                        (export "instance-network" (func (result u32)))))
                    (instance $empty)
                    (export "muxel:plugin/strategy@0.1.0" (instance $empty)))"#,
            )
            .expect("the guest is well-formed"),
            Self::Picks(_) | Self::File(_) => component(&self.module(), self.world()),
        }
    }

    /// A well-behaved strategy that calls itself `version`: its manifest's version points to a text of its own.
    #[allow(dead_code, reason = "not every binary that shares this file signs plugins")]
    pub(crate) fn versioned(version: &str) -> Vec<u8> {
        let length = version.len();
        let own = format!(
            "(data (i32.const 1032) \"\\88\\04\\00\\00\\{length:02x}\\00\\00\\00\")\n(data (i32.const 1160) \"{version}\")"
        );
        component(&(Self::Picks(0).module() + &own), "strategy-plugin")
    }

    /// The core module's bytes: a real file of the wrong kind.
    pub(crate) fn core_module(self) -> Vec<u8> {
        wat::parse_str(self.module()).expect("the guest is well-formed")
    }

    pub(crate) fn world(self) -> &'static str {
        let named = match self {
            Self::File(fixture) => fixture.text.lines().find_map(|line| line.strip_prefix(";; World: ")),
            Self::Picks(_) | Self::Imports => None,
        };
        named.unwrap_or("strategy-plugin")
    }

    /// The module's text: the guest's own fields and, after them, what it lacks.
    pub(crate) fn module(self) -> String {
        let own = match self {
            Self::File(fixture) => fixture.text.to_owned(),
            Self::Picks(index) => picks(index),
            Self::Imports => String::new(),
        };
        let role = match self.world() {
            "classifier-plugin" => "#classify\"",
            "cost-model-plugin" => "#price\"",
            _ => "#rank\"",
        };
        let of_another_world = |mark: &str| mark.contains('#') && !mark.contains("#describe") && !mark.ends_with(role);
        let lacking = PRELUDE.iter().filter(|(mark, _)| !own.contains(mark) && !of_another_world(mark));
        lacking.fold(own.clone(), |text, (_, field)| text + field)
    }
}

/// A well-behaved strategy with one preference. `rank` finds the number of candidates at 188 of its arguments.
fn picks(index: u32) -> String {
    format!(
        r#"(func (export "muxel:plugin/strategy@0.1.0#rank") (param i32) (result i32)
            (i32.store (i32.const 260) (i32.const 512))
            (i32.store (i32.const 264) (i32.const 1))
            (f32.store (i32.const 284) (f32.const 1))
            (i32.store (i32.const 512)
                (select
                    (i32.const {index})
                    (i32.sub (i32.load offset=188 (local.get 0)) (i32.const 1))
                    (i32.lt_u (i32.const {index}) (i32.load offset=188 (local.get 0)))))
            (i32.const 256))"#
    )
}

const fn same(left: &str, right: &str) -> bool {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    if left.len() != right.len() {
        return false;
    }
    let mut index = 0;
    while index < left.len() {
        if left[index] != right[index] {
            return false;
        }
        index += 1;
    }
    true
}

/// A component that exports `world` from a core module in text form.
pub(crate) fn component(module: &str, world: &str) -> Vec<u8> {
    encode(&wat::parse_str(module).unwrap_or_else(|error| panic!("{error}\n{module}")), world).expect("it is encoded")
}

/// A component that exports `world` from a core module, if that is possible.
pub(crate) fn encode(module: &[u8], world: &str) -> Result<Vec<u8>, String> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (contract, _) = resolve.push_dir(&wit).expect("the contract parses");
    let own = resolve.push_str("hoarder.wit", include_str!("../guests/hoarder.wit")).expect("the guests' world parses");
    let package = if world == "hoarder" { own } else { contract };
    let world = resolve.select_world(&[package], Some(world)).map_err(text_of)?;
    let mut module = module.to_vec();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(text_of)?;
    ComponentEncoder::default().module(&module).and_then(|encoder| encoder.validate(true).encode()).map_err(text_of)
}

fn text_of(error: impl std::fmt::Display) -> String {
    format!("{error:#}")
}
