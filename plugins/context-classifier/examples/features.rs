//! For the trainer (`train/train.py`): what the plugin's own code reads in prompts. Prompts or cues come on standard
//! input, each ended by a zero byte; for each a line of JSON goes out.

use std::{
    env, fs,
    io::{self, Read, Write},
};

use context_classifier::{cue, study};

fn main() -> io::Result<()> {
    let mut input = String::new();
    io::stdin().read_to_string(&mut input)?;
    let weights = env::args().nth(1).map(fs::read).transpose()?;
    let mut out = io::BufWriter::new(io::stdout().lock());
    for text in input.split_terminator('\0') {
        match &weights {
            None => {
                let (hash, length) = cue(text);
                writeln!(out, "[{hash},{length}]")?;
            }
            Some(weights) => {
                let Some(read) = study(text, weights) else { return Err(io::Error::other("no such weights")) };
                writeln!(
                    out,
                    r#"{{"rows":{:?},"words":{:?},"english":{},"measures":{:?},"probabilities":{:?}}}"#,
                    read.rows, read.words, read.english, read.measures, read.probabilities
                )?;
            }
        }
    }
    Ok(())
}
