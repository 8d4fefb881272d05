//! `muxel plugin new`: a plugin's folder that builds, passes its tests and is admitted as it is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::{mistake::Mistake, name, vendor};
use crate::{exit::ExitStatus, printer::Printer};

/// Make a new plugin: a folder with a crate that builds, tests and passes `check` at once
///
/// It needs nothing of Muxel but this program: the SDK and the contract are written into it.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name, the crate's and the folder's: lower-case words joined by `-`
    #[arg(value_name = "NAME")]
    name: String,

    /// What it answers
    #[arg(long, value_name = "KIND", value_enum)]
    kind: Kind,

    /// Folder in which the new folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    dir: PathBuf,

    /// Print JSON
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Kind {
    /// Which candidate should serve a request?
    Strategy,
    /// What kind of picture is asked for?
    Classifier,
    /// What would each candidate cost?
    CostModel,
    /// A strategy that learns from outcomes
    Learner,
}

/// What was made.
#[derive(Serialize)]
struct Made<'a> {
    ok: bool,
    name: &'a str,
    folder: &'a Path,
    next: [String; 4],
}

impl New {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let here = self.dir.as_os_str() == ".";
        let folder = if here { PathBuf::from(&self.name) } else { self.dir.join(&self.name) };
        if let Err(mistake) = name::check(&self.name).and_then(|()| self.make(&folder)) {
            return mistake.tell(self.json, printer);
        }
        let next = [
            format!("cd {}", quoted(&folder)),
            "cargo test".to_owned(),
            "muxel plugin build".to_owned(),
            format!("muxel plugin check {}.wasm", self.name),
        ];
        if self.json {
            printer.json(&Made { ok: true, name: &self.name, folder: &folder, next })?;
            return Ok(ExitStatus::Success);
        }
        printer.say(format_args!("made `{}`: look at src/lib.rs", folder.display()));
        if sandbox::bundled_names().any(|bundled| bundled == self.name) {
            printer
                .say(format_args!("note: dropped into a gateway, it takes the place of the bundled `{}`", self.name));
        }
        printer.say(format_args!("\nnext:\n  {}", next.join("\n  ")));
        Ok(ExitStatus::Success)
    }

    /// Beside its place first, then renamed: nothing half-written is left.
    fn make(&self, folder: &Path) -> Result<(), Mistake> {
        let cannot = |error: &io::Error| {
            let why = format!("cannot make `{}`: {error}", folder.display());
            Mistake::new("unwritable", why, "name a folder you may write to with `--dir DIR`")
        };
        if !self.dir.is_dir() {
            let why = format!("`{}` is no folder", self.dir.display());
            return Err(Mistake::new("no-folder", why, format!("make it first: mkdir -p {}", quoted(&self.dir))));
        }
        match fs::read_dir(folder).map(|mut entries| entries.next().is_some()) {
            Ok(true) => {
                let why = format!("`{}` is there already, and not empty", folder.display());
                return Err(Mistake::new("exists", why, "choose another name, or another place with `--dir DIR`"));
            }
            Ok(false) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(_) => {
                let why = format!("`{}` is there already, and no folder", folder.display());
                return Err(Mistake::new("exists", why, "choose another name, or another place with `--dir DIR`"));
            }
        }
        let part = self.dir.join(format!(".{}.{}.part", self.name, std::process::id()));
        let made = self.write(&part).and_then(|()| fs::rename(&part, folder));
        made.map_err(|error| {
            // It may not even have been begun.
            let _ = fs::remove_dir_all(&part);
            cannot(&error)
        })
    }

    fn write(&self, part: &Path) -> io::Result<()> {
        let write = |path: &str, text: &str| {
            let path = part.join(path);
            if let Some(folder) = path.parent() {
                fs::create_dir_all(folder)?;
            }
            fs::write(path, text)
        };
        fs::create_dir(part)?;
        write("Cargo.toml", &self.fill(include_str!("template/Cargo.toml.txt")))?;
        write("Cargo.lock", &vendor::lock(&self.name))?;
        write("README.md", &self.fill(include_str!("template/README.md.txt")))?;
        write(".gitignore", "/target\n/*.wasm\n")?;
        write("src/lib.rs", self.kind.source())?;
        write("vendor/muxel-sdk/Cargo.toml", &self.fill(include_str!("template/sdk.toml.txt")))?;
        vendor::FILES.iter().try_for_each(|(path, text)| write(path, text))
    }

    fn fill(&self, template: &str) -> String {
        template
            .replace("{serve}\n", self.kind.serve())
            .replace("{kind}", self.kind.words())
            .replace("{name}", &self.name)
            .replace("{version}", vendor::VERSION)
            .replace("{edition}", vendor::EDITION)
            .replace("{rust_version}", vendor::RUST_VERSION)
            .replace("{wit_bindgen}", vendor::WIT_BINDGEN)
    }
}

impl Kind {
    fn source(self) -> &'static str {
        match self {
            Self::Strategy => include_str!("template/strategy.rs"),
            Self::Classifier => include_str!("template/classifier.rs"),
            Self::CostModel => include_str!("template/cost_model.rs"),
            Self::Learner => include_str!("template/learner.rs"),
        }
    }

    /// The part of the README that tells how it comes to serve.
    fn serve(self) -> &'static str {
        match self {
            Self::Strategy => include_str!("template/strategy.md.txt"),
            Self::Classifier => include_str!("template/classifier.md.txt"),
            Self::CostModel => include_str!("template/cost-model.md.txt"),
            Self::Learner => include_str!("template/learner.md.txt"),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Strategy => "routing strategy",
            Self::Classifier => "prompt classifier",
            Self::CostModel => "cost model",
            Self::Learner => "routing strategy that learns",
        }
    }
}

/// A path as a shell takes it.
pub(super) fn quoted(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-+:@%".contains(&byte);
    if !text.is_empty() && text.bytes().all(plain) { text } else { format!("'{}'", text.replace('\'', r"'\''")) }
}
