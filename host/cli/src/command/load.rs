//! Reading the configuration, for every command that needs one.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use domain::catalogue::{Catalogue, Date};
use gateway::config::{self, Config, Loaded, Problems};
use sandbox::{Compiler, Plugins};

use crate::printer::Printer;

/// The configuration at `path`, or the one of a gateway that was given none.
///
/// # Errors
///
/// Everything that is wrong with it.
pub(crate) fn config(path: Option<&Path>, listen: Option<SocketAddr>) -> Result<Loaded, Box<Problems>> {
    let environment = |name: &str| std::env::var(name).ok();
    let catalogue = Catalogue::embedded();
    let surroundings = config::Surroundings {
        catalogue: &catalogue,
        today: Date::of_unix_ms(unix_ms()),
        environment: &environment,
        folder: PathBuf::new(),
        listen,
    };
    let loaded = match path {
        Some(path) => config::load(path, surroundings),
        None => config::parse("no configuration", "", &surroundings),
    };
    let mut loaded = loaded.map_err(Box::new)?;
    if path.is_none() {
        // Never strangers' plugins from whatever directory one stands in: a folder is only read when it is named.
        loaded.config.plugins.folder = None;
    }
    Ok(loaded)
}

/// The same for commands that only need the configuration: `None` when it is wrong, which has been said.
pub(crate) fn config_or_say(path: Option<&Path>, printer: &Printer) -> Option<Config> {
    config(path, None).map(|loaded| loaded.config).map_err(|problems| printer.say(problems)).ok()
}

/// The plugins of a configuration, with `folder` instead of its own when one is given. What is refused is said.
pub(crate) fn plugins(config: &Config, folder: Option<PathBuf>, printer: &Printer) -> anyhow::Result<Plugins> {
    let mut from = config.plugins.clone();
    from.folder = folder.or(from.folder);
    let plugins = gateway::load_plugins(&from, Compiler::this_program())?;
    for refused in plugins.roster().refused().values() {
        printer.failure(&refused.reason, refused.hint.as_ref());
    }
    Ok(plugins)
}

/// Milliseconds since 1970-01-01 UTC.
pub(crate) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
