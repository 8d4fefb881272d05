//! Guests as WebAssembly text: what a hostile or careless plugin would do, without a toolchain.
//!
//! Each is a core module with the exports of a strategy; the contract's metadata is added and the whole encoded as a
//! component, just as a toolchain would. The layout of an answer is written out in [`Guest::module`].

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// A guest misbehaves only at prompts of this many characters: so it passes its trial calls.
pub(crate) const TRIGGER: usize = 77;

/// What the guest does when it is asked to rank.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Guest {
    /// Ranks only the candidate at this index, or the last one when there are fewer.
    Picks(u32),
    /// At [`TRIGGER`] runs this text before it picks the first; it must leave nothing on the stack.
    Triggered(&'static str),
    /// Always runs this text first.
    Always(&'static str),
    /// At [`TRIGGER`] answers with the first candidate after this text has changed the answer.
    Answers(&'static str),
    /// A classifier that has no opinion, and at [`TRIGGER`] traps.
    Classifier,
    /// A cost model that has no opinion, and at [`TRIGGER`] traps.
    CostModel,
    /// A strategy that wants a function of the host's.
    Imports,
}

impl Guest {
    pub(crate) const LOOPS: Self = Self::Triggered("(loop $for_ever (br $for_ever))");
    pub(crate) const TRAPS: Self = Self::Triggered("unreachable");
    pub(crate) const RECURSES: Self = Self::Triggered("(call $deeper (i32.const 0)) drop");
    pub(crate) const GROWS: Self =
        Self::Triggered("(loop $more (br_if $more (i32.ge_s (memory.grow (i32.const 16)) (i32.const 0))))");
    pub(crate) const LOOPS_ALWAYS: Self = Self::Always("(loop $for_ever (br $for_ever))");
    /// Answers `candidate 999`.
    pub(crate) const OUT_OF_RANGE: Self = Self::Answers("(i32.store (i32.const 512) (i32.const 999))");
    /// Answers an empty ranking.
    pub(crate) const EMPTY: Self = Self::Answers("(i32.store (i32.const 264) (i32.const 0))");
    /// Answers a score that is not a number.
    pub(crate) const NOT_A_NUMBER: Self = Self::Answers("(f32.store (i32.const 516) (f32.const nan))");
    /// Answers a list of a billion places.
    pub(crate) const ENDLESS: Self = Self::Answers("(i32.store (i32.const 264) (i32.const 1000000000))");
    /// Answers a reason that lies outside its memory.
    pub(crate) const WILD_POINTER: Self =
        Self::Answers("(i32.store (i32.const 276) (i32.const -64)) (i32.store (i32.const 280) (i32.const 60))");

    /// The component's bytes.
    pub(crate) fn component(self) -> Vec<u8> {
        match self {
            Self::Classifier => component(&abstaining("classifier@0.1.0#classify"), "classifier-plugin"),
            Self::CostModel => component(&abstaining("cost-model@0.1.0#price"), "cost-model-plugin"),
            Self::Imports => wat::parse_str(
                r#"(component
                    (import "wasi:cli/environment@0.2.0" (instance
                        (export "get-arguments" (func (result (list string))))))
                    (instance $empty)
                    (export "muxel:plugin/strategy@0.1.0" (instance $empty)))"#,
            )
            .expect("the guest is well-formed"),
            Self::Picks(_) | Self::Triggered(_) | Self::Always(_) | Self::Answers(_) => {
                component(&self.module(), "strategy-plugin")
            }
        }
    }

    /// The core module's bytes: a real file of the wrong kind.
    pub(crate) fn core_module(self) -> Vec<u8> {
        wat::parse_str(self.module()).expect("the guest is well-formed")
    }

    /// `rank` gets one pointer to its arguments: `request.prompt-chars` at 16, the number of candidates at 188. It answers with a pointer to
    /// `result<ranking, refusal>`: tag at 256, then order (260, 264), parts (268, 272), reason (276, 280), propensity
    /// (284); the one place of the order lies at 512. `describe` answers with a manifest of zeros.
    fn module(self) -> String {
        let (pick, before) = match self {
            Self::Picks(index) => (index, String::new()),
            Self::Always(text) => (0, text.to_owned()),
            Self::Classifier | Self::CostModel | Self::Imports => unreachable!("these are no strategies"),
            Self::Triggered(text) | Self::Answers(text) => {
                (0, format!("(if (i32.eq (i32.load offset=16 (local.get 0)) (i32.const {TRIGGER})) (then {text}))"))
            }
        };
        format!(
            r#"(module
                (memory (export "memory") 2)
                (global $top (mut i32) (i32.const 4096))
                (func $deeper (param i32) (result i32)
                    (i32.add (local.get 0) (call $deeper (i32.add (local.get 0) (i32.const 1)))))
                (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                    (local $at i32)
                    (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                    (global.set $top (i32.add (local.get $at) (local.get 3)))
                    (loop $enough
                        (if (i32.gt_u (global.get $top) (i32.mul (memory.size) (i32.const 65536)))
                            (then
                                (if (i32.lt_s (memory.grow (i32.const 1)) (i32.const 0)) (then unreachable))
                                (br $enough))))
                    (local.get $at))
                (func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
                (func (export "muxel:plugin/strategy@0.1.0#rank") (param i32) (result i32)
                    (i32.store (i32.const 260) (i32.const 512))
                    (i32.store (i32.const 264) (i32.const 1))
                    (i32.store (i32.const 512)
                        (select
                            (i32.const {pick})
                            (i32.sub (i32.load offset=188 (local.get 0)) (i32.const 1))
                            (i32.lt_u (i32.const {pick}) (i32.load offset=188 (local.get 0)))))
                    (f32.store (i32.const 284) (f32.const 1))
                    {before}
                    (i32.const 256)))"#
        )
    }
}

/// A module whose one function abstains, and at [`TRIGGER`] traps. Its answer's tag says `refusal`, the zeros after it
/// `abstain` without a reason.
fn abstaining(function: &str) -> String {
    format!(
        r#"(module
            (memory (export "memory") 2)
            (global $top (mut i32) (i32.const 4096))
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (local $at i32)
                (local.set $at (i32.and (i32.add (global.get $top) (i32.const 15)) (i32.const -16)))
                (global.set $top (i32.add (local.get $at) (local.get 3)))
                (local.get $at))
            (func (export "muxel:plugin/describe@0.1.0#describe") (result i32) (i32.const 1024))
            (func (export "muxel:plugin/{function}") (param i32) (result i32)
                (if (i32.eq (i32.load offset=16 (local.get 0)) (i32.const {TRIGGER})) (then unreachable))
                (i32.store (i32.const 256) (i32.const 1))
                (i32.const 256)))"#
    )
}

/// A component that exports `world` from a core module in text form.
pub(crate) fn component(module: &str, world: &str) -> Vec<u8> {
    let mut resolve = Resolve::default();
    let wit = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let (package, _) = resolve.push_dir(&wit).expect("the contract parses");
    let world = resolve.select_world(&[package], Some(world)).expect("the contract has this world");
    let mut module = wat::parse_str(module).expect("the guest is well-formed");
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).expect("metadata fits");
    let mut encoder = ComponentEncoder::default();
    encoder.module(&module).expect("the module fits the contract").validate(true);
    encoder.encode().expect("the component is valid")
}
