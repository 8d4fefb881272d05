//! Whom a comparison is asked to compare: strategies in service, and components from files.

use std::path::{Path, PathBuf};

use eval::simulate::NoContestant;
use sandbox::{Compiler, Plugin, Plugins, Sandbox, Setup, Trust};

use crate::{command::plugin::admit, printer::Printer};

/// The bundled plugins, and those of a folder. What is refused is said.
pub(super) fn plugins(folder: Option<PathBuf>, printer: &Printer) -> anyhow::Result<Plugins> {
    let setup = Setup { folder, trust: Trust::new(&[], false)?, archive: None };
    let plugins = Plugins::load(Sandbox::new(Compiler::this_program())?, setup)?;
    for refused in plugins.roster().refused().values() {
        printer.failure(&refused.reason, refused.hint.as_ref());
    }
    Ok(plugins)
}

/// One for each of `names`. `None` when one of them is not to be had, which has been said.
pub(super) fn of<C>(
    names: &[String],
    plugins: &Plugins,
    named: impl Fn(&str) -> Result<C, NoContestant>,
    of_plugin: impl Fn(&str, Plugin) -> Result<C, NoContestant>,
    printer: &Printer,
) -> Option<Vec<C>> {
    let mut found = Vec::with_capacity(names.len());
    // The same one twice is the same one.
    let mut seen = std::collections::BTreeSet::new();
    let mut is_complete = true;
    for name in names.iter().filter(|name| seen.insert(name.as_str())) {
        let is_file = Path::new(name).extension().is_some_and(|extension| extension == "wasm");
        let contestant = match is_file.then(|| admit(plugins.sandbox(), Path::new(name))) {
            None => named(name),
            Some(Ok(plugin)) => of_plugin(name, plugin),
            Some(Err(mistake)) => {
                printer.failure(&mistake.reason, mistake.hint.as_ref());
                is_complete = false;
                continue;
            }
        };
        match contestant {
            Ok(contestant) => found.push(contestant),
            Err(error) => {
                printer.failure(&error, Some(error.hint()));
                is_complete = false;
            }
        }
    }
    is_complete.then_some(found)
}
