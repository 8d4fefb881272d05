//! From a file to a plugin, by the very code that takes it into service.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use sandbox::{Compiler, Limits, LoadError, Origin, Plugin, Sandbox, Submission, Terms};

use super::{gauge::Gauge, mistake::Mistake};

/// Most of a file that is read: more than any gateway takes in, so that its size can be told.
const MOST: usize = 65 << 20;

/// Where a plugin is tried: the engine that `serve` uses.
///
/// # Errors
///
/// When this machine cannot run it.
pub(super) fn sandbox() -> anyhow::Result<Sandbox> {
    sandbox::prepare_thread();
    Ok(Sandbox::new(Compiler::this_program())?)
}

/// Does what `serve` does with a file in its folder.
///
/// # Errors
///
/// Why `serve` would not take it in.
pub(in crate::command) fn admit(sandbox: &Sandbox, path: &Path) -> Result<Plugin, Mistake> {
    admit_with_bytes(sandbox, path).map(|(plugin, _)| plugin)
}

/// The same, with the bytes that were admitted.
///
/// # Errors
///
/// Why `serve` would not take it in.
pub(super) fn admit_with_bytes(sandbox: &Sandbox, path: &Path) -> Result<(Plugin, Vec<u8>), Mistake> {
    let name = name_of(path)?;
    let bytes = read(path, MOST)?;
    let terms = match std::fs::read_to_string(path.with_extension("toml")) {
        Ok(text) => Terms::parse(&text).map_err(|error| refused(LoadError::Terms { plugin: name.clone(), error }))?,
        Err(_) => Terms::default(),
    };
    let submission = Submission { terms: &terms, ..Submission::new(&name, &bytes) };
    let plugin = sandbox.load(&submission, Origin::File(path.to_owned())).map_err(refused)?;
    Ok((plugin, bytes))
}

impl From<LoadError> for Mistake {
    fn from(error: LoadError) -> Self {
        refused(error)
    }
}

fn refused(error: LoadError) -> Mistake {
    let advice = match &error {
        LoadError::Trial { code, detail, .. } => advice(code, detail),
        LoadError::Describe { fault, .. } => advice(fault.code(), &fault.to_string()),
        LoadError::Compile { .. } => {
            Some("build it again with `muxel plugin build`; `muxel plugin inspect` shows whether the file is cut")
        }
        LoadError::Structure { .. } => Some("a large `static` counts as well: make it a `const` table, or compute it"),
        _ => None,
    };
    let hint = match (error.hint(), advice) {
        (Some(hint), Some(advice)) => Some(format!("{hint}\n{advice}")),
        (hint, advice) => hint.or(advice.map(str::to_owned)),
    };
    Mistake { code: error.code(), reason: error.to_string(), hint }
}

/// What an author may do about a call that went wrong.
pub(super) fn advice(code: &str, detail: &str) -> Option<&'static str> {
    Some(match code {
        // The stack comes first in memory: what overflows it leaves memory at its lower end.
        "trap" if detail.contains("out of bounds memory access") => {
            "most likely the stack is full, which has 16 KiB unless built with `muxel plugin build --stack 64`: look for a \
             recursion without an end, and keep large arrays in a `Vec`"
        }
        "out-of-fuel" | "deadline" => {
            "look for a loop that does not end, and for work on all of a prompt (up to 16 KiB) or on every pair of candidates (up \
             to 100). `format!` with floats is dear: write reasons with `muxel_sdk::Reason`"
        }
        "unreachable" => {
            "a panic ends like this: an index out of range, `unwrap` on nothing, `std::time` (the time is \
             `request.now_ms`), `std::thread`. `cargo test` finds most with a backtrace: see `muxel_sdk::testing::each`"
        }
        "out-of-memory" => {
            "look for a list or a static that is too large; the SDK's allocator gives memory back only with the sandbox, \
             and `default-features = false` for muxel-sdk takes the standard one"
        }
        "stack-overflow" => "look for a recursion without an end; large arrays belong into a `Vec`, not onto the stack",
        "trap" => "a division by zero ends like this; `cargo test` finds it with a backtrace",
        "invalid-answer" => {
            "`cargo test` finds it: hold answers against `muxel_sdk::testing::assert_ranking`, `assert_classification` or \
             `assert_estimates`"
        }
        "exit" => "a plugin ends by returning its answer: leave out `std::process::exit`",
        "wait" => "in a sandbox there is nobody to wait for: leave out sleeping, reading stdin, and blocking",
        "failed" => {
            "`Refusal::Fault` counts against the plugin; when it has no opinion, `Refusal::Abstain` is the word"
        }
        _ => return None,
    })
}

/// The plugin's name, which is its file's.
fn name_of(path: &Path) -> Result<String, Mistake> {
    let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
    let shown = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    if !path.exists() {
        let why = format!("there is no file `{}`", path.display());
        return Err(Mistake::new("unreadable", why, "`muxel plugin build` makes one, and says where it is"));
    }
    if path.is_dir() {
        let why = format!("`{}` is a folder, not a component", path.display());
        return Err(Mistake::new(
            "unreadable",
            why,
            format!("build it first: muxel plugin build {}", super::new::quoted(path)),
        ));
    }
    if path.extension().is_none_or(|extension| extension != "wasm") {
        let why = format!("`{shown}` does not end in `.wasm`: a gateway takes no notice of it");
        return Err(Mistake::new("name", why, "rename it"));
    }
    if !sandbox::is_plugin_name(&name) {
        let why = format!("`{shown}` names no plugin: a gateway takes no notice of it");
        let rule = "lower-case words joined by `-`, at most 64 bytes, not `auto` or `native`";
        return Err(Mistake::new("name", why, format!("the file's name is the plugin's: {rule}")));
    }
    Ok(name)
}

/// A regular file, and little more of it than there may be: a device or a pipe has no end.
///
/// # Errors
///
/// What the file system says.
pub(super) fn read(path: &Path, most: usize) -> Result<Vec<u8>, Mistake> {
    let cannot = |error: &std::io::Error| {
        let why = format!("cannot read `{}`: {error}", path.display());
        Mistake::new("unreadable", why, "name a regular file that you may read")
    };
    if !std::fs::metadata(path).map_err(|error| cannot(&error))?.is_file() {
        return Err(cannot(&std::io::Error::other("it is no regular file")));
    }
    let mut bytes = Vec::new();
    let file = std::fs::File::open(path).map_err(|error| cannot(&error))?;
    file.take(most as u64 + 1).read_to_end(&mut bytes).map_err(|error| cannot(&error))?;
    Ok(bytes)
}

/// Fuel, bytes and microseconds of what is allowed.
pub(super) fn gauges_of(limits: &Limits, fuel: u64, memory: u64, micros: u64) -> [Gauge; 3] {
    [
        Gauge { name: "fuel", used: fuel, limit: limits.fuel, unit: "" },
        Gauge { name: "memory", used: memory.div_ceil(1024), limit: limits.memory / 1024, unit: "KiB" },
        Gauge { name: "time", used: micros, limit: limits.deadline_ms.saturating_mul(1_000), unit: "us" },
    ]
}

/// What tells that a file has changed. `None` when it is not there.
pub(super) type Stamp = Option<(std::time::SystemTime, u64)>;

pub(super) fn stamp(path: &PathBuf) -> Stamp {
    let facts = std::fs::metadata(path).ok()?;
    Some((facts.modified().ok()?, facts.len()))
}
