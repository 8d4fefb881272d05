//! A strategy that uses what the standard library offers, as a newcomer would before reading that a plugin has nothing.

use std::{
    collections::HashMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use muxel_sdk::{
    Candidate, Classification, Column, Describe, Manifest, Ranking, Refusal, Request, Strategy, Value, export,
};

struct Prints;

impl Describe for Prints {
    fn describe() -> Manifest {
        Manifest::new("prints", env!("CARGO_PKG_VERSION"), "says what it does").reads("prompt").reads("now-ms").reads("seed")
    }
}

impl Strategy for Prints {
    fn rank(
        request: Request,
        _: Vec<Value>,
        _: Vec<u8>,
        _: Classification,
        candidates: Vec<Candidate>,
        _: Vec<Column>,
    ) -> Result<Ranking, Refusal> {
        println!("ranking {} candidates \u{1b}[31m", candidates.len());
        if std::env::vars().next().is_none() && std::env::args().len() <= 1 {
            eprintln!("no environment, no arguments");
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        assert_eq!(now.as_millis() as u64, request.now_ms, "the clock is the request's");
        match request.prompt.as_str() {
            "please exit" => std::process::exit(3),
            "please sleep" => std::thread::sleep(Duration::from_secs(1)),
            "please panic" => panic!("as asked"),
            "please flood" => (0..10_000).for_each(|line| println!("line {line} of a flood")),
            _ => {}
        }
        let places: HashMap<usize, &str> =
            candidates.iter().enumerate().map(|(index, candidate)| (index, candidate.model.as_str())).collect();
        Ok(Ranking::sorted(
            candidates.len(),
            |a, b| places.get(&a).cmp(&places.get(&b)),
            |_| 0.0,
            |first| format!("{} comes first", places.get(&first).copied().unwrap_or_default()),
        ))
    }
}

export!(Prints: strategy);
