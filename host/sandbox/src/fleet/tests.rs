use domain::{digest::Digest, request::Request};

use super::*;
use crate::Compiler;

/// An archive on a disk that is full.
struct Full;

impl Archive for Full {
    fn keep(&self, _: Digest, _: &[u8]) -> Result<(), String> {
        Err("no space left on device".to_owned())
    }

    fn fetch(&self, _: Digest) -> Result<Option<Vec<u8>>, String> {
        Err("no space left on device".to_owned())
    }

    fn states(&self) -> Result<Vec<(String, String)>, String> {
        Err("no space left on device".to_owned())
    }

    fn remember(&self, _: &str, _: &str) -> Result<(), String> {
        Err("no space left on device".to_owned())
    }

    fn recent(&self, _: usize) -> Vec<Request> {
        Vec::new()
    }
}

fn status(plugins: &Plugins, name: &str) -> PluginStatus {
    plugins.statuses().into_iter().find(|status| status.name == name).expect("it is known")
}

#[test]
fn a_full_disk_takes_nothing_out_of_service_and_nothing_is_promised_that_cannot_be_kept() {
    let sandbox = Sandbox::new(Compiler::Here).expect("an engine");
    let setup = Setup { archive: Some(Arc::new(Full)), ..Setup::default() };
    let plugins = Plugins::load(sandbox, setup).expect("bundled plugins load");
    let hybrid = status(&plugins, "hybrid");
    assert_eq!((hybrid.state, hybrid.not_kept.as_deref()), ("serving", Some("no space left on device")));

    let refused = plugins.disable("hybrid").expect_err("it cannot be remembered");
    assert!(matches!(refused, ActionError::Archive { .. }), "{refused}");
    assert_eq!(status(&plugins, "hybrid").state, "serving");
    assert!(matches!(plugins.rollback("hybrid"), Err(ActionError::Archive { .. } | ActionError::NothingBefore { .. })));
}

#[test]
fn without_an_archive_actions_work_and_last_as_long_as_the_process() {
    let sandbox = Sandbox::new(Compiler::Here).expect("an engine");
    let plugins = Plugins::load(sandbox, Setup::default()).expect("bundled plugins load");
    let before = plugins.roster().revision();
    plugins.disable("hybrid").expect("it is there");
    assert!(plugins.roster().get("hybrid", crate::Kind::Strategy).is_none());
    plugins.enable("hybrid").expect("it is there");
    assert!(plugins.roster().get("hybrid", crate::Kind::Strategy).is_some());
    assert!(plugins.roster().revision() > before);
    assert!(
        matches!(plugins.disable("hybird"), Err(ActionError::NoPlugin { near, .. }) if near.first().is_some_and(|near| near == "hybrid"))
    );
}
