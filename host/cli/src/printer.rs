//! The terminal: data on stdout, talk on stderr. The only file that writes to either.
//!
//! Text from plugins, providers and callers is shown with its control characters made visible, so that none of them can
//! drive the reader's terminal.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "this file is the terminal")]

use std::{
    fmt::Display,
    io::{self, Write as _},
};

use serde::Serialize;

pub(crate) struct Printer {
    stdout: io::BufWriter<io::Stdout>,
}

impl Printer {
    pub(crate) fn new() -> Self {
        Self { stdout: io::BufWriter::new(io::stdout()) }
    }

    /// Data for people.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(crate) fn data(&mut self, text: impl Display) -> io::Result<()> {
        writeln!(self.stdout, "{}", visible(&text.to_string()))?;
        self.stdout.flush()
    }

    /// Text to be stored as it is, such as a schema.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(crate) fn raw(&mut self, text: &str) -> io::Result<()> {
        self.stdout.write_all(text.as_bytes())?;
        self.stdout.flush()
    }

    /// Data for programs: one JSON document, indented.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(crate) fn json(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer_pretty(&mut self.stdout, value)?;
        writeln!(self.stdout)?;
        self.stdout.flush()
    }

    /// Data for programs: one JSON document on one line, of many.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(crate) fn json_line(&mut self, value: &impl Serialize) -> io::Result<()> {
        serde_json::to_writer(&mut self.stdout, value)?;
        writeln!(self.stdout)
    }

    /// What was printed so far is seen now: for a program that goes on.
    ///
    /// # Errors
    ///
    /// When stdout is gone.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.stdout.flush()
    }

    /// Talk.
    pub(crate) fn say(&self, text: impl Display) {
        eprintln!("{}", visible(&text.to_string()));
    }

    pub(crate) fn failure(&self, message: impl Display, hint: Option<impl Display>) {
        self.say(format_args!("error: {message}"));
        if let Some(hint) = hint {
            self.say(format_args!("\nhint: {hint}"));
        }
    }

    /// An unexpected error with everything that led to it.
    pub(crate) fn error(&self, error: &anyhow::Error) {
        self.say(format_args!("error: {error}"));
        for cause in error.chain().skip(1) {
            self.say(format_args!("  caused by: {cause}"));
        }
    }
}

/// Control characters other than line breaks and tabs, made visible.
fn visible(text: &str) -> String {
    let escape = |character: char| match character {
        '\n' | '\t' => character.to_string(),
        control if control.is_control() => control.escape_default().to_string(),
        plain => plain.to_string(),
    };
    text.chars().map(escape).collect()
}
