//! `muxel plugin build`: a Rust crate to a component.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context as _;
use clap::Args;
use serde::Deserialize;

use crate::{exit::ExitStatus, printer::Printer};

const TARGET: &str = "wasm32-unknown-unknown";
/// With a small stack, a small call needs no more memory than the host keeps warm.
const SMALL_STACK: &str = "-Clink-arg=-zstack-size=16384";

/// Build a Rust plugin crate to a component
///
/// Runs cargo for wasm32-unknown-unknown in release mode and encodes the module as a component.
#[derive(Debug, Args)]
pub(crate) struct Build {
    /// Folder of the crate
    #[arg(value_name = "CRATE", default_value = ".")]
    folder: PathBuf,

    /// Where to put the component; beside the crate's manifest when left out
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
}

/// A line of cargo's machine-readable talk.
#[derive(Deserialize)]
struct Message {
    reason: String,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    #[serde(default)]
    manifest_path: PathBuf,
}

impl Build {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let manifest = self.folder.join("Cargo.toml");
        if !manifest.is_file() {
            let message = format!("`{}` is no crate: it has no Cargo.toml", self.folder.display());
            printer.failure(message, Some("name the folder of the plugin's crate"));
            return Ok(ExitStatus::Failure);
        }
        let built = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .args(["build", "--release", "--target", TARGET, "--message-format=json-render-diagnostics"])
            .arg("--manifest-path")
            .arg(&manifest)
            .env("CARGO_ENCODED_RUSTFLAGS", SMALL_STACK)
            // Small and quick to start, whatever the crate's own profile says.
            .envs([
                ("CARGO_PROFILE_RELEASE_LTO", "true"),
                ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
                ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
                ("CARGO_PROFILE_RELEASE_STRIP", "true"),
                ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
            ])
            .env_remove("RUSTFLAGS")
            .stderr(std::process::Stdio::inherit())
            .output()
            .context("cannot start cargo")?;
        if !built.status.success() {
            let hint = format!("if the target is missing: rustup target add {TARGET}");
            printer.failure("the crate does not compile", Some(hint));
            return Ok(ExitStatus::Failure);
        }
        let Some(module) = module_of(&built.stdout, &manifest) else {
            let hint = "its Cargo.toml needs `[lib]` with `crate-type = [\"cdylib\", \"rlib\"]`";
            printer.failure("cargo built no WebAssembly module of this crate", Some(hint));
            return Ok(ExitStatus::Failure);
        };
        let bytes = std::fs::read(&module).with_context(|| format!("cannot read `{}`", module.display()))?;
        let component = match sandbox::encode(&bytes) {
            Ok(component) => component,
            Err(reason) => {
                let hint = "export the plugin with `muxel_sdk::export!`";
                printer.failure(format_args!("the module is no plugin: {reason}"), Some(hint));
                return Ok(ExitStatus::Failure);
            }
        };
        let output = self.output.unwrap_or_else(|| {
            let stem = module.file_stem().unwrap_or_default().to_string_lossy().replace('_', "-");
            self.folder.join(format!("{stem}.wasm"))
        });
        write_whole(&output, &component).with_context(|| format!("cannot write `{}`", output.display()))?;
        printer.say(format_args!("{} bytes in `{}`", component.len(), output.display()));
        Ok(ExitStatus::Success)
    }
}

/// The module that cargo says it made of the crate with this manifest.
fn module_of(talk: &[u8], manifest: &Path) -> Option<PathBuf> {
    let manifest = manifest.canonicalize().ok()?;
    let artifacts = talk.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    artifacts
        .filter(|message| message.reason == "compiler-artifact" && message.manifest_path == manifest)
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

/// Beside its place first, then renamed: a gateway that watches the folder never sees half a file.
fn write_whole(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let part = path.with_extension("wasm.part");
    std::fs::write(&part, bytes)?;
    std::fs::rename(&part, path)
}
