//! What of a configuration is settled at the start: a reload cannot change it, and says so.

use std::net::SocketAddr;

use crate::config::{
    Config,
    checked::{Data, Plugins, Server},
};

/// Least room for records to come, so that a reload can raise `max-in-flight` up to half of it.
const LEAST_SLOTS: usize = 8_192;

/// The part of the first configuration that stays until the process ends.
pub(crate) struct Fixed {
    server: Server,
    data: Data,
    plugins: Plugins,
}

impl Fixed {
    pub(crate) fn new(config: &Config) -> Self {
        Self { server: config.server.clone(), data: config.data.clone(), plugins: config.plugins.clone() }
    }

    /// Where this process listens, as its first configuration said.
    pub(crate) fn listen(&self) -> SocketAddr {
        self.server.listen
    }

    /// Records that may be to come at once. A request holds its slot to the end: there must be more of them than requests.
    pub(crate) fn slots(&self) -> usize {
        self.server.max_in_flight.saturating_mul(2).max(LEAST_SLOTS)
    }

    /// The keys of `config` that differ and wait for a restart. A limit on requests that the ledger has no room for goes
    /// back to what it was.
    pub(crate) fn keep(&self, config: &mut Config, before: usize) -> Vec<&'static str> {
        let (server, data, plugins) = (&config.server, &config.data, &config.plugins);
        let too_many = server.max_in_flight > self.slots() / 2;
        let differs = [
            ("server.listen", server.listen != self.server.listen),
            ("server.header-timeout", server.header_timeout != self.server.header_timeout),
            ("server.drain", server.drain != self.server.drain),
            ("server.max-in-flight", too_many),
            ("data.dir", data.dir != self.data.dir),
            ("data.prompts", data.prompts != self.data.prompts),
            ("data.retention", data.retention != self.data.retention),
            ("data.media", data.media != self.data.media),
            ("data.media-keep", data.media_keep != self.data.media_keep),
            ("data.answers", data.answers != self.data.answers),
            ("plugins.dir", plugins.folder != self.plugins.folder),
            ("plugins.trusted-keys", plugins.trusted_keys != self.plugins.trusted_keys),
            ("plugins.require-signatures", plugins.require_signatures != self.plugins.require_signatures),
        ];
        if too_many {
            config.server.max_in_flight = before;
        }
        differs.into_iter().filter_map(|(key, differs)| differs.then_some(key)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use domain::catalogue::Catalogue;

    use super::*;

    #[test]
    fn what_needs_a_restart_is_named_and_nothing_else() {
        let first = Config::simulated(&Catalogue::embedded());
        let fixed = Fixed::new(&first);
        let mut next = first.clone();
        next.server.max_body = 1;
        next.server.max_in_flight = 17;
        next.server.max_queue = 0;
        assert!(fixed.keep(&mut next, 4096).is_empty());
        assert_eq!(next.server.max_in_flight, 17);

        next.server.drain = Duration::from_secs(1);
        next.data.media = 7;
        next.plugins.folder = Some("elsewhere".into());
        next.server.max_in_flight = 1_000_000;
        let named = fixed.keep(&mut next, 17);
        assert_eq!(named, ["server.drain", "server.max-in-flight", "data.media", "plugins.dir"]);
        assert_eq!(next.server.max_in_flight, 17);
    }
}
