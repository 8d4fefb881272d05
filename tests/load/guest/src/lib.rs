//! A strategy that keeps the host's order, until a prompt contains `!`: then it misbehaves in the way that `GUEST` named
//! when it was compiled. So it passes its trial calls and serves, until somebody makes it fail.

use std::hint::black_box;

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Refusal, Request, Strategy, Value, export,
};

const NAME: &str = match option_env!("GUEST") {
    Some(name) => name,
    None => "loops",
};

struct Guest;

impl Describe for Guest {
    fn describe() -> Manifest {
        Manifest::new(NAME, env!("CARGO_PKG_VERSION"), "misbehaves at an exclamation mark").reads("prompt")
    }
}

impl Strategy for Guest {
    fn rank(
        request: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        if request.prompt.contains('!') {
            match NAME {
                "grows" => grow(),
                "traps" => trap(),
                _ => spin(),
            }
        }
        let offered = |_, _| std::cmp::Ordering::Equal;
        Ok(Ranking::sorted(candidates.len(), offered, |_| 0.0, |_| "as offered".to_owned()))
    }
}

fn spin() {
    loop {
        black_box(());
    }
}

/// A page at a time, each of them touched.
fn grow() {
    let mut pages: Vec<Vec<u8>> = Vec::new();
    loop {
        pages.push(black_box(vec![1; 64 << 10]));
    }
}

fn trap() {
    #[cfg(target_arch = "wasm32")]
    core::arch::wasm32::unreachable();
}

export!(Guest: strategy);
