//! What cargo and rustc have to say before and after a build.

use std::{
    ffi::OsString,
    io,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde::Deserialize;

use super::mistake::Mistake;

pub(super) const TARGET: &str = "wasm32-unknown-unknown";
const SDK: &str = "muxel-sdk";
const INSTALL_RUST: &str = "install Rust: curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh";

/// A crate as `cargo metadata` knows it.
#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
    dependencies: Vec<Dependency>,
}

/// A crate that can become a plugin.
pub(super) struct Crate {
    pub(super) name: String,
    /// The version of its SDK, where that lies beside it.
    pub(super) sdk: Option<String>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    crate_types: Vec<String>,
}

#[derive(Deserialize)]
struct Dependency {
    name: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
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

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn not_started(error: &io::Error) -> Mistake {
    if error.kind() == io::ErrorKind::NotFound {
        return Mistake::new("no-cargo", "cargo is not installed, or not on the PATH", INSTALL_RUST);
    }
    Mistake::new("no-cargo", format!("cargo does not start: {error}"), INSTALL_RUST)
}

/// The crate in `folder`, once it is known to be one that can become a plugin.
///
/// # Errors
///
/// What its manifest lacks.
pub(super) fn find(folder: &Path) -> Result<Crate, Mistake> {
    let manifest = folder.join("Cargo.toml");
    if !manifest.is_file() {
        let why = format!("`{}` is no crate: it has no Cargo.toml", folder.display());
        return Err(Mistake::new(
            "no-crate",
            why,
            "name the plugin's folder, or make one: muxel plugin new NAME --kind strategy",
        ));
    }
    let asked = Command::new(cargo())
        .args(["metadata", "--no-deps", "--format-version", "1", "--manifest-path"])
        .arg(&manifest)
        .output()
        .map_err(|error| not_started(&error))?;
    if !asked.status.success() {
        let said = String::from_utf8_lossy(&asked.stderr);
        let why = format!("cargo cannot read `{}`:\n{}", manifest.display(), said.trim());
        let hint = if said.contains("believes it's in a workspace when it's not") {
            format!("let it stand alone: printf '\\n[workspace]\\n' >> {}", super::new::quoted(&manifest))
        } else {
            "mend Cargo.toml first; `muxel plugin new` makes one to compare with".to_owned()
        };
        return Err(Mistake::new("manifest", why, hint));
    }
    let found: Metadata = serde_json::from_slice(&asked.stdout).map_err(|error| {
        Mistake::new(
            "manifest",
            format!("cannot read what cargo says of the crate: {error}"),
            "update cargo: rustup update",
        )
    })?;
    let same = |package: &Package| same_file(&package.manifest_path, &manifest);
    let sdk = found.packages.iter().find(|package| package.name == SDK).map(|package| package.version.clone());
    let names: Vec<String> = found.packages.iter().map(|package| package.name.clone()).collect();
    let Some(package) = found.packages.into_iter().find(same) else {
        let why = format!("`{}` is a workspace, not a crate", folder.display());
        return Err(Mistake::new(
            "no-crate",
            why,
            format!("name the folder of one of its crates: {}", names.join(", ")),
        ));
    };
    package.can_be_a_plugin(&manifest)?;
    Ok(Crate { name: package.name, sdk })
}

impl Package {
    fn can_be_a_plugin(&self, manifest: &Path) -> Result<(), Mistake> {
        let crate_type = "crate-type = [\"cdylib\", \"rlib\"]";
        let libraries: Vec<&Target> =
            self.targets.iter().filter(|target| target.kind.iter().any(|kind| kind.ends_with("lib"))).collect();
        if libraries.is_empty() {
            let why = format!("crate `{}` is a program, and a plugin is a library", self.name);
            let hint =
                format!("move src/main.rs to src/lib.rs, and write in `{}`:\n[lib]\n{crate_type}", manifest.display());
            return Err(Mistake::new("crate-type", why, hint));
        }
        if !libraries.iter().any(|target| target.crate_types.iter().any(|kind| kind == "cdylib")) {
            let why = format!("crate `{}` does not become a WebAssembly module: its library is no `cdylib`", self.name);
            return Err(Mistake::new(
                "crate-type",
                why,
                format!("write in `{}`:\n[lib]\n{crate_type}", manifest.display()),
            ));
        }
        if !self.dependencies.iter().any(|dependency| dependency.name == SDK) {
            let why = format!("crate `{}` does not depend on muxel-sdk", self.name);
            let hint =
                "`muxel plugin new` writes the SDK to vendor/muxel-sdk: muxel-sdk = { path = \"vendor/muxel-sdk\" }";
            return Err(Mistake::new("no-sdk", why, hint));
        }
        Ok(())
    }
}

/// Whether this toolchain can compile for WebAssembly. Asked in `folder`, which may choose its own toolchain.
///
/// # Errors
///
/// When the target is missing, with the one command that adds it.
pub(super) fn has_target(folder: &Path) -> Result<(), Mistake> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc).args(["--print", "target-libdir", "--target", TARGET]).current_dir(folder).output();
    // What cannot be asked is left to the build.
    let Ok(asked) = asked else { return Ok(()) };
    let libraries = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if !asked.status.success() || libraries.is_empty() || Path::new(&libraries).is_dir() {
        return Ok(());
    }
    let toolchain = std::env::var("RUSTUP_TOOLCHAIN").map_or(String::new(), |name| format!("--toolchain {name} "));
    let why = format!("this Rust toolchain has no target {TARGET}");
    Err(Mistake::new("no-target", why, format!("rustup target add {toolchain}{TARGET}")))
}

/// Builds the crate with a stack of so many KiB and returns its module. What the compiler says goes to the terminal as it is.
///
/// # Errors
///
/// When it does not compile, or no module comes out.
pub(super) fn build(folder: &Path, stack_kib: u32) -> Result<PathBuf, Mistake> {
    let manifest = folder.join("Cargo.toml");
    let built = Command::new(cargo())
        .args(["build", "--release", "--lib", "--target", TARGET, "--message-format=json-render-diagnostics"])
        .arg("--manifest-path")
        .arg(&manifest)
        .env("CARGO_ENCODED_RUSTFLAGS", format!("-Clink-arg=-zstack-size={}", u64::from(stack_kib) * 1024))
        // Small and quick to start, whatever the crate's own profile says.
        .envs([
            ("CARGO_PROFILE_RELEASE_LTO", "true"),
            ("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1"),
            ("CARGO_PROFILE_RELEASE_PANIC", "abort"),
            ("CARGO_PROFILE_RELEASE_STRIP", "true"),
            ("CARGO_PROFILE_RELEASE_DEBUG", "false"),
        ])
        .env_remove("RUSTFLAGS")
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| not_started(&error))?;
    if !built.status.success() {
        let hint = "the compiler's words are above; `cargo test` says the same, and runs what compiles";
        return Err(Mistake::new("does-not-compile", "the crate does not compile", hint));
    }
    module_of(&built.stdout, &manifest).ok_or_else(|| {
        let hint = "look for `crate-type` in Cargo.toml: it needs \"cdylib\"";
        Mistake::new("crate-type", "cargo built no WebAssembly module of this crate", hint)
    })
}

/// The module that cargo says it made of the crate with this manifest.
fn module_of(talk: &[u8], manifest: &Path) -> Option<PathBuf> {
    let artifacts = talk.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice::<Message>(line).ok());
    artifacts
        .filter(|message| message.reason == "compiler-artifact" && same_file(&message.manifest_path, manifest))
        .flat_map(|message| message.filenames)
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
}

fn same_file(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}
