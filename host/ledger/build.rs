//! Builds again when a migration is added: `sqlx::migrate!` notices only changes to files that it has read.

#![allow(clippy::print_stdout, reason = "this is how a build script talks to cargo")]

fn main() {
    println!("cargo:rerun-if-changed=migrations");
}
