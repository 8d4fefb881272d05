//! `[server]`, `[data]` and `[plugins]`.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    time::Duration,
};

use base64::Engine as _;
use url::Url;

use super::Checker;
use crate::config::{
    checked::{Data, Plugins, Prompts, Server},
    source::{Path, at},
    units::Bytes,
};

const USUAL_PORT: u16 = 8080;
const MAX_BODY: Bytes = Bytes(1 << 30);
const KEY_HINT: &str = "make a key with `muxel key new` and add it as `[[keys]]`, or listen on 127.0.0.1";

pub(in crate::config) fn default_server() -> Server {
    Server {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, USUAL_PORT)),
        public_url: None,
        max_body: 32 << 20,
        header_timeout: Duration::from_secs(10),
        drain: Duration::from_secs(300),
        max_in_flight: 4096,
        max_queue: 256,
        queue_timeout: Duration::from_secs(10),
    }
}

pub(in crate::config) fn default_data(folder: PathBuf) -> Data {
    Data {
        dir: folder.join("data"),
        prompts: Prompts::Store,
        retention: Duration::from_secs(90 * 86_400),
        media: 1 << 30,
        media_keep: Duration::from_secs(3600),
        answers: 1 << 30,
    }
}

/// What is wrong with listening on `address`, and how to mend it: when other machines could reach it and there are no
/// keys.
#[must_use]
pub fn objection_to(address: SocketAddr, has_keys: bool) -> Option<(String, &'static str)> {
    (!has_keys && !is_loopback(address)).then(|| (exposed(address), KEY_HINT))
}

pub(super) fn check_server(checker: &mut Checker<'_>) -> Server {
    let (written, usual) = (&checker.written().server, default_server());
    let listen_at = at!["server", "listen"];
    let configured = match &written.listen {
        Some(text) => listen(checker, &listen_at, text).unwrap_or(usual.listen),
        None => usual.listen,
    };
    let listen = checker.surroundings.listen.unwrap_or(configured);
    // Keys that were written and could not be read are reported already.
    let has_keys = !checker.written().keys.is_empty() || checker.is_wrong(&at!["keys"]);
    if let Some((message, hint)) = objection_to(listen, has_keys) {
        checker.error(&listen_at, message, hint);
    }
    let public_url = written.public_url.as_deref().and_then(|text| public_url(checker, text));
    if let Some(most @ (Bytes(0) | Bytes(0x4000_0001..))) = written.max_body {
        checker.error(
            &at!["server", "max-body"],
            format!("`{most}` is out of range"),
            format!("write \"1B\" to \"{MAX_BODY}\""),
        );
    }
    Server {
        listen,
        public_url,
        max_body: written.max_body.map_or(usual.max_body, |most| usize::try_from(most.0).unwrap_or(usize::MAX)),
        header_timeout: checker.period(
            &at!["server", "header-timeout"],
            written.header_timeout,
            usual.header_timeout,
            ("1ms", "1h"),
        ),
        drain: checker.period(&at!["server", "drain"], written.drain, usual.drain, ("0ms", "1d")),
        max_in_flight: checker.count(
            &at!["server", "max-in-flight"],
            written.max_in_flight,
            usual.max_in_flight as u32,
            1_000_000,
            "leave it out for 4096",
        ) as usize,
        max_queue: max_queue(checker).unwrap_or(usual.max_queue),
        queue_timeout: checker.period(
            &at!["server", "queue-timeout"],
            written.queue_timeout,
            usual.queue_timeout,
            ("1ms", "1h"),
        ),
    }
}

/// Unlike other counts it may be 0: nobody waits.
fn max_queue(checker: &mut Checker<'_>) -> Option<usize> {
    const MOST: u32 = 100_000;
    let most = checker.written().server.max_queue?;
    if most > MOST {
        let hint = format!("write 0 to {MOST}, or leave it out for 256");
        checker.error(&at!["server", "max-queue"], format!("`{most}` is out of range"), hint);
        return None;
    }
    Some(most as usize)
}

pub(super) fn check_data(checker: &mut Checker<'_>) -> Data {
    let written = &checker.written().data;
    let folder = checker.surroundings.folder.clone();
    let usual = default_data(folder.clone());
    let dir = written.dir.as_deref().map(|dir| path(checker, &at!["data", "dir"], dir));
    Data {
        dir: dir.map_or(usual.dir, |dir| folder.join(dir)),
        prompts: written.prompts.unwrap_or_default(),
        retention: checker.period(&at!["data", "retention"], written.retention, usual.retention, ("1m", "36500d")),
        media: written.media.map_or(usual.media, |most| most.0),
        media_keep: checker.period(&at!["data", "media-keep"], written.media_keep, usual.media_keep, ("1s", "365d")),
        answers: written.answers.map_or(usual.answers, |most| most.0),
    }
}

pub(super) fn check_plugins(checker: &mut Checker<'_>) -> Plugins {
    let written = &checker.written().plugins;
    let trusted_keys = written.trusted_keys.clone().unwrap_or_default();
    for (index, key) in trusted_keys.iter().enumerate() {
        let at = at!["plugins", "trusted-keys", index];
        if !is_minisign_key(key) {
            let hint = "name the second line of the author's `minisign.pub`: 56 characters that begin with `RW`";
            checker.error(&at, "this is not a minisign public key", hint);
        } else if trusted_keys[..index].contains(key) {
            checker.error(&at, "this key is named twice", "keep one of them");
        }
    }
    let require_signatures = written.require_signatures.unwrap_or(false);
    // Keys that were written and could not be read are reported already.
    if require_signatures && trusted_keys.is_empty() && !checker.is_wrong(&at!["plugins", "trusted-keys"]) {
        let at = at!["plugins", "require-signatures"];
        let hint = "name the keys of those who may sign: `trusted-keys = [\"RW..\"]`";
        checker.error(&at, "no plugin could be loaded: signatures are required and no key is trusted", hint);
    }
    Plugins { folder: folder(checker), trusted_keys, require_signatures }
}

/// As minisign writes it: the algorithm `Ed`, a number for the key, and the key, as base64.
fn is_minisign_key(text: &str) -> bool {
    let decoded = base64::engine::general_purpose::STANDARD.decode(text);
    text.len() == 56 && decoded.is_ok_and(|bytes| bytes.len() == 42 && bytes.starts_with(b"Ed"))
}

/// The folder that was named, or `plugins` beside the file, when there is one.
fn folder(checker: &mut Checker<'_>) -> Option<PathBuf> {
    let folder = &checker.surroundings.folder;
    let Some(dir) = checker.written().plugins.dir.as_deref() else {
        return Some(folder.join("plugins")).filter(|beside| beside.is_dir());
    };
    let at = at!["plugins", "dir"];
    let dir = folder.join(path(checker, &at, dir));
    if !dir.is_dir() {
        checker.error(&at, format!("`{}` is not a folder", dir.display()), "make it, or name one that is there");
    }
    Some(dir)
}

fn path<'t>(checker: &mut Checker<'_>, at: &Path, text: &'t str) -> &'t str {
    if text.trim().is_empty() || text.contains('\0') {
        checker.error(at, "this is not a path", "name a folder, relative to this file");
    }
    text
}

fn listen(checker: &mut Checker<'_>, at: &Path, text: &str) -> Option<SocketAddr> {
    if let Ok(address) = text.parse() {
        return Some(address);
    }
    let shown: String = text.chars().take(60).collect();
    let hint = match (text.rsplit_once(':'), text.parse::<std::net::IpAddr>()) {
        (_, Ok(ip)) => format!("add the port: `{}`", SocketAddr::new(ip, USUAL_PORT)),
        (Some(("", port)), _) if port.parse::<u16>().is_ok() => format!("for every address write `0.0.0.0:{port}`"),
        (Some(("localhost", port)), _) if port.parse::<u16>().is_ok() => format!("write `127.0.0.1:{port}`"),
        _ => format!("write an address and a port, like `127.0.0.1:{USUAL_PORT}`"),
    };
    checker.error(at, format!("`{shown}` is not an address with a port"), hint);
    None
}

fn public_url(checker: &mut Checker<'_>, text: &str) -> Option<String> {
    let plain = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    match Url::parse(text) {
        Ok(url) if plain(&url) => Some(url.as_str().trim_end_matches('/').to_owned()),
        _ => {
            checker.error(
                &at!["server", "public-url"],
                "`public-url` is not a plain web address",
                "write it like `https://images.example.com`, without user, query or fragment",
            );
            None
        }
    }
}

fn is_loopback(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

fn exposed(address: SocketAddr) -> String {
    format!("listening on `{address}` without keys would let anyone who reaches it spend money")
}
