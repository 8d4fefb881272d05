//! Components that must never become plugins, each with the code of its refusal.

use std::time::{Duration, Instant};

use crate::{
    binary::{self, CORE_INSTANCE, EXPORT, IMPORT, TYPE, leb, name, numbered, repeated},
    guests::{Guest, component},
    load, sandbox,
};

/// Longest that a refusal may take. Generous, because machines are busy; compiling what is refused would take longer.
const SOON: Duration = Duration::from_secs(30);

/// Panics unless every attack is refused, soon, with one of its codes.
#[track_caller]
fn refused(attacks: &[(&str, Vec<u8>, &[&str])]) {
    let sandbox = sandbox();
    let mut wrong = Vec::new();
    for (what, bytes, codes) in attacks {
        let began = Instant::now();
        let loaded = load(&sandbox, bytes);
        let took = began.elapsed();
        match loaded {
            Ok(_) => wrong.push(format!("{what}: admitted")),
            Err(error) if !codes.contains(&error.code()) => {
                wrong.push(format!("{what}: `{}`, not {codes:?}: {error}", error.code()));
            }
            Err(error) if error.to_string().contains(char::is_control) => wrong.push(format!("{what}: says {error:?}")),
            Err(_) if took > SOON => wrong.push(format!("{what}: took {took:?}")),
            Err(_) => {}
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A strategy that behaves, with more fields of a core module.
fn strategy_with(fields: &str) -> String {
    format!("{fields}\n{}", Guest::Picks(0).module())
}

#[test]
fn what_is_no_component() {
    refused(&[
        ("nothing", vec![], &["empty"]),
        ("one byte", vec![0], &["not-wasm"]),
        ("a script", b"#!/bin/sh\nexit 0\n".to_vec(), &["not-wasm"]),
        ("a picture", b"\x89PNG\r\n\x1a\n".to_vec(), &["not-wasm"]),
        ("the magic alone", b"\0asm".to_vec(), &["does-not-compile"]),
        ("a core module", Guest::Picks(0).core_module(), &["core-module"]),
        ("a component of the future", b"\0asm\x0e\0\x01\0".to_vec(), &["does-not-compile"]),
        ("an empty component", b"\0asm\x0d\0\x01\0".to_vec(), &["no-contract"]),
        ("zeros after the header", [b"\0asm\x0d\0\x01\0".as_slice(), &[0; 64]].concat(), &["does-not-compile"]),
        (
            "a section longer than the file",
            [b"\0asm\x0d\0\x01\0".as_slice(), &[7, 100, 1]].concat(),
            &["does-not-compile"],
        ),
        (
            "a section of 4 GiB",
            [b"\0asm\x0d\0\x01\0".as_slice(), &[7, 255, 255, 255, 255, 15]].concat(),
            &["does-not-compile"],
        ),
        ("100 MB of nothing", [b"\0asm\x0d\0\x01\0".as_slice(), &vec![0; 100 << 20]].concat(), &["too-large"]),
    ]);
}

#[test]
fn what_has_more_of_everything_than_a_plugin_needs() {
    let export =
        |index: usize| [&[0], name(&format!("e{index}")).as_slice(), &[3], leb(index).as_slice(), &[0]].concat();
    let import = |index: usize| [&[0], name(&format!("i{index}")).as_slice(), &[3, 0, 0]].concat();
    let functions = 250_000;
    refused(&[
        ("100 components deep", binary::nested(100), &["structure"]),
        ("20,000 components deep", binary::nested(20_000), &["structure"]),
        ("100,000 types", binary::component(&[repeated(TYPE, 100_000, &[0x7f])]), &["structure"]),
        (
            "100,000 imports",
            binary::component(&[repeated(TYPE, 1, &[0x7f]), numbered(IMPORT, 100_000, import)]),
            &["structure"],
        ),
        (
            "100,000 exports",
            binary::component(&[repeated(TYPE, 1, &[0x7f]), numbered(EXPORT, 100_000, |index| export(index.min(1)))]),
            &["structure", "does-not-compile"],
        ),
        ("100,000 instances", binary::component(&[repeated(CORE_INSTANCE, 100_000, &[1, 0])]), &["structure"]),
        (
            "250,000 functions",
            binary::holding(&[
                binary::section(1, &[1, 0x60, 0, 0]),
                repeated(3, functions, &[0]),
                repeated(10, functions, &[2, 0, 0x0b]),
            ]),
            &["structure"],
        ),
        (
            "a function that says it has four billion locals",
            binary::holding(&[
                binary::section(1, &[1, 0x60, 0, 0]),
                binary::section(3, &[1, 0]),
                binary::section(10, &[1, 8, 1, 255, 255, 255, 255, 15, 0x7f, 0x0b]),
            ]),
            &["does-not-compile"],
        ),
        (
            "a list of types that says it has four billion entries",
            binary::component(&[binary::section(TYPE, &[255, 255, 255, 255, 15])]),
            &["structure", "does-not-compile"],
        ),
    ]);
}

#[test]
fn what_would_cost_the_compiler_dear() {
    // block (x 100,000), then as many ends: nesting that a recursive compiler would not survive.
    let deep = [[0x02, 0x40].repeat(100_000), [0x0b].repeat(100_000)].concat();
    // A switch with a million arms, all of them the same.
    let switch = [[0x02, 0x40, 0x41, 0, 0x0e].as_slice(), &leb(1_000_000), &[0; 1_000_001], &[0x0b]].concat();
    // Two MiB of straight code: `i32.const 0; drop`.
    let straight = [0x41, 0, 0x1a].repeat(600_000);
    refused(&[
        ("blocks nested 100,000 deep", binary::one_function(&deep), &["structure", "no-contract"]),
        ("a switch with a million arms", binary::one_function(&switch), &["structure"]),
        ("a function of nearly two MiB", binary::one_function(&straight), &["structure", "no-contract"]),
    ]);
}

/// An empty instance, exported under a name of the contract: enough to get as far as the compiler.
const CONTRACT: &str = "(instance $contract) (export \"muxel:plugin/strategy@0.1.0\" (instance $contract))";

#[test]
fn what_uses_proposals_that_are_switched_off() {
    let with = |fields: &str| component(&strategy_with(fields), "strategy-plugin");
    // The encoder knows only one memory, so the others are wrapped by hand.
    let wrapped = |module: &str| {
        wat::parse_str(format!("(component (core module {module}) {CONTRACT})")).expect("the attack is well-formed")
    };
    refused(&[
        ("memory64", wrapped("(memory i64 1)"), &["does-not-compile"]),
        ("shared memory", wrapped("(memory 1 1 shared)"), &["does-not-compile"]),
        ("many memories", wrapped("(memory 1) (memory 1)"), &["does-not-compile"]),
        ("odd pages", wrapped("(memory 1 (pagesize 1))"), &["does-not-compile"]),
        ("threads", wrapped("(memory 1) (func (drop (i32.atomic.load (i32.const 0))))"), &["does-not-compile"]),
        ("tail calls", with("(func $f (return_call $f))"), &["does-not-compile"]),
        ("exceptions", with("(tag $e) (func (throw $e))"), &["does-not-compile"]),
        ("garbage collection", with("(type $s (struct (field i32)))"), &["does-not-compile"]),
        ("typed references", with("(type $t (func)) (func (param (ref null $t)))"), &["does-not-compile"]),
        ("relaxed SIMD", with("(func (param v128) (result v128) (i8x16.relaxed_swizzle (local.get 0) (local.get 0)))"), &["does-not-compile"]),
        ("wide arithmetic", with("(func (result i64 i64) (i64.mul_wide_u (i64.const 1) (i64.const 1)))"), &["does-not-compile"]),
        ("stack switching", wrapped("(type $f (func)) (type $c (cont $f))"), &["does-not-compile"]),
        (
            "async functions",
            wat::parse_str("(component (core module $m (func (export \"f\"))) (core instance $i (instantiate $m)) (func (export \"f\") async (canon lift (core func $i \"f\") async)) (instance $e) (export \"muxel:plugin/strategy@0.1.0\" (instance $e)))").expect("the attack is well-formed"),
            &["does-not-compile"],
        ),
    ]);
}

#[test]
fn what_wants_more_than_the_pool_has() {
    let text = |text: String| wat::parse_str(text).expect("the attack is well-formed");
    let instances = "(core instance (instantiate $m)) ".repeat(1_000);
    refused(&[
        (
            "1,000 instances of one module",
            text(format!("(component (core module $m (memory 1)) {instances} {CONTRACT})")),
            &["structure", "does-not-compile"],
        ),
        (
            "many memories, one a module",
            text(format!(
                "(component {} {CONTRACT})",
                "(core module $m (memory 1)) (core instance (instantiate $m)) "
                    .replace("$m", "")
                    .repeat(9)
                    .replace("(instantiate )", "(instantiate 0)")
            )),
            &["structure", "does-not-compile"],
        ),
        (
            "many tables",
            component(&strategy_with(&"(table 1 funcref) ".repeat(50)), "strategy-plugin"),
            &["structure", "does-not-compile"],
        ),
        (
            "a memory of 4 GiB",
            text(format!("(component (core module $m (memory 65536)) (core instance (instantiate $m)) {CONTRACT})")),
            &["structure", "does-not-compile"],
        ),
    ]);
}

#[test]
fn what_imports_anything() {
    let importing = |name: &str| {
        let text = format!(
            r#"(component
                (import "{name}" (instance (export "do" (func (result u32)))))
                (instance $empty)
                (export "muxel:plugin/strategy@0.1.0" (instance $empty)))"#
        );
        wat::parse_str(text).expect("the attack is well-formed")
    };
    let sandbox = sandbox();
    for import in [
        "wasi:sockets/tcp@0.2.0",
        "wasi:sockets/instance-network@0.2.3",
        "wasi:filesystem/types@0.2.0",
        "wasi:filesystem/preopens@0.2.0",
        "wasi:http/outgoing-handler@0.2.0",
        "wasi:keyvalue/store@0.2.0-draft",
        "acme:secrets/vault",
        "acme:secrets/vault@1.0.0",
    ] {
        let error = load(&sandbox, &importing(import)).err().expect("it is refused");
        assert_eq!(error.code(), "import", "{import}: {error}");
        assert!(error.to_string().contains(import), "{error}");
    }
    refused(&[
        (
            "a function of no interface",
            wat::parse_str("(component (import \"exit\" (func)))").expect("well-formed"),
            &["import"],
        ),
        (
            "a core module",
            wat::parse_str("(component (import \"code\" (core module)))").expect("well-formed"),
            &["import"],
        ),
        (
            "a component",
            wat::parse_str("(component (import \"code\" (component)))").expect("well-formed"),
            &["import", "does-not-compile"],
        ),
        ("a function of the contract's own", importing("muxel:plugin/types@0.1.0"), &["import", "import-types"]),
    ]);
}

#[test]
fn what_speaks_another_contract() {
    let empty = |export: &str| {
        wat::parse_str(format!("(component (instance $empty) (export \"{export}\" (instance $empty)))"))
            .expect("the attack is well-formed")
    };
    let strategy = "muxel:plugin/strategy@0.1.0";
    refused(&[
        ("a later version", empty("muxel:plugin/strategy@0.2.0"), &["contract-version"]),
        ("a much later version", empty("muxel:plugin/strategy@1.0.0"), &["contract-version"]),
        ("no version", empty("muxel:plugin/strategy"), &["contract-version"]),
        ("an interface that is not there", empty("muxel:plugin/oracle@0.1.0"), &["missing-export"]),
        ("a strategy of no functions", empty(strategy), &["missing-export", "wrong-types"]),
        ("somebody else's strategy", empty("acme:plugin/strategy@0.1.0"), &["no-contract"]),
        (
            "types of another version",
            wat::parse_str(format!(
                r#"(component
                    (import "muxel:plugin/types@0.2.0" (instance (type u32) (export "micro-usd" (type (eq 0)))))
                    (instance $empty)
                    (export "{strategy}" (instance $empty)))"#
            ))
            .expect("the attack is well-formed"),
            &["contract-version", "missing-export", "wrong-types", "import"],
        ),
        (
            "the right name on the wrong function",
            wat::parse_str(format!(
                r#"(component
                    (core module $m (func (export "f") (result i32) (i32.const 0)))
                    (core instance $i (instantiate $m))
                    (func $f (result u32) (canon lift (core func $i "f")))
                    (instance $wrong (export "rank" (func $f)))
                    (instance $describe (export "describe" (func $f)))
                    (export "muxel:plugin/describe@0.1.0" (instance $describe))
                    (export "{strategy}" (instance $wrong)))"#
            ))
            .expect("the attack is well-formed"),
            &["wrong-types"],
        ),
    ]);
}

#[test]
fn every_prefix_of_a_plugin_is_refused() {
    let whole = Guest::Picks(0).component();
    let sandbox = sandbox();
    load(&sandbox, &whole).expect("the whole is a plugin");
    for length in 0..whole.len() {
        match load(&sandbox, &whole[..length]) {
            Err(error) => {
                let codes = [
                    "empty",
                    "not-wasm",
                    "does-not-compile",
                    "no-contract",
                    "missing-export",
                    "core-module",
                    "import",
                    "import-types",
                ];
                assert!(codes.contains(&error.code()), "{length} bytes: {error}");
            }
            Ok(_) => {
                assert_eq!(sections_after(&whole, length), vec![0; 0], "{length} bytes of {} are a plugin", whole.len())
            }
        }
    }
}

/// Numbers of the sections that begin at `offset`, custom ones left out.
fn sections_after(whole: &[u8], mut offset: usize) -> Vec<u8> {
    let mut numbers = Vec::new();
    while offset < whole.len() {
        let number = whole[offset];
        let (mut length, mut shift, mut at) = (0usize, 0, offset + 1);
        loop {
            let byte = whole[at];
            length |= usize::from(byte & 0x7f) << shift;
            (shift, at) = (shift + 7, at + 1);
            if byte & 0x80 == 0 {
                break;
            }
        }
        if number != 0 {
            numbers.push(number);
        }
        offset = at + length;
    }
    numbers
}
