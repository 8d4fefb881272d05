//! `[[keys]]`: who may call, and which routes they may use.

use std::collections::{BTreeMap, BTreeSet};

use super::{Checker, nearest_hint};
use crate::config::{
    checked::{Key, KeyHash, Route},
    source::{Path, at},
};

/// Longest name of a key or a tenant.
const LONGEST_NAME: usize = 100;

pub(super) fn check(checker: &mut Checker<'_>, routes: &BTreeMap<String, Route>) -> Vec<Key> {
    let (mut names, mut hashes) = (BTreeSet::new(), BTreeSet::new());
    let mut keys = Vec::new();
    for (index, written) in checker.written().keys.iter().enumerate() {
        let at = |key: &str| at!["keys", index, key];
        check_name(checker, &at("name"), &written.name);
        if !names.insert(&written.name) {
            let shown: String = written.name.chars().take(60).collect();
            checker.error(&at("name"), format!("two keys are called `{shown}`"), "the audit log tells them by name");
        }
        if let Some(tenant) = &written.tenant {
            check_name(checker, &at("tenant"), tenant);
        }
        for (place, route) in written.routes.iter().flatten().enumerate() {
            check_route(checker, &at!["keys", index, "routes", place], route, routes);
        }
        if written.routes.as_ref().is_some_and(Vec::is_empty) {
            checker.error(&at("routes"), "this key may use no route", "name one, or leave it out for all of them");
        }
        let Some(hash) = KeyHash::from_hex(&written.hash) else {
            let hint = "make a key and its hash with `muxel key new`; never write the key itself";
            checker.error(&at("hash"), "`hash` is not 64 hexadecimal digits", hint);
            continue;
        };
        if !hashes.insert(hash) {
            checker.error(&at("hash"), "two keys have the same hash", "make another key with `muxel key new`");
        }
        keys.push(Key {
            name: written.name.as_str().into(),
            hash,
            tenant: written.tenant.as_deref().map(Into::into),
            routes: written.routes.clone(),
            admin: written.admin.unwrap_or(false),
        });
    }
    keys
}

fn check_name(checker: &mut Checker<'_>, at: &Path, name: &str) {
    if name.trim().is_empty() || name.len() > LONGEST_NAME || name.chars().any(char::is_control) {
        let hint = format!("use 1 to {LONGEST_NAME} plain characters, like \"studio\"");
        checker.error(at, "this is not a name for the audit log", hint);
    }
}

fn check_route(checker: &mut Checker<'_>, at: &Path, route: &str, routes: &BTreeMap<String, Route>) {
    // A route that was written and could not be read is reported already.
    if routes.contains_key(route) || checker.source.has(&at!["routes", route]) {
        return;
    }
    let shown: String = route.chars().take(60).collect();
    let hint = nearest_hint(route, routes.keys().map(String::as_str), "configure it: `[routes.NAME]`");
    checker.error(at, format!("there is no route `{shown}`"), hint);
}
