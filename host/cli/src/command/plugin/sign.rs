//! `muxel plugin sign`: a signature that says what a component is.

use std::{
    io::Write as _,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use minisign::{KeyPair, PublicKey, SecretKey, SecretKeyBox};
use sandbox::{Compiler, Sandbox, Statement};

use super::{load, mistake::Mistake};
use crate::{exit::ExitStatus, printer::Printer};

/// Largest key file, in bytes.
const LARGEST_KEY: usize = 4 << 10;

/// Sign a plugin for gateways that ask for signatures
///
/// Writes `FILE.minisig` beside the component: an ordinary minisign signature, whose trusted comment says name, version,
/// worlds and digest. The plugin is admitted first, as `serve` would: what does not load is not signed. `minisign -G`
/// makes keys, and so does `--new-key`. The password of an encrypted key is read from MUXEL_SIGN_PASSWORD.
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// Component to sign
    #[arg(value_name = "FILE", required_unless_present = "new_key")]
    component: Option<PathBuf>,

    /// Secret key to sign with
    #[arg(long, short, value_name = "FILE", required_unless_present = "new_key")]
    key: Option<PathBuf>,

    /// Make a key pair instead: the secret key goes to FILE, the public one to FILE.pub
    #[arg(long, value_name = "FILE", conflicts_with_all = ["component", "key"])]
    new_key: Option<PathBuf>,

    /// Print what was signed as JSON
    #[arg(long)]
    json: bool,
}

impl Sign {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let done = match (&self.new_key, &self.component, &self.key) {
            (Some(path), ..) => return self.make_key(path, printer),
            (None, Some(component), Some(key)) => sign(component, key)?,
            // The argument parser has seen to it.
            _ => return Ok(ExitStatus::Failure),
        };
        let (statement, file, public) = match done {
            Ok(done) => done,
            Err(mistake) => return mistake.tell(self.json, printer),
        };
        if self.json {
            printer.json(&serde_json::json!({
                "ok": true,
                "signature": file.display().to_string(),
                "name": statement.name,
                "version": statement.version,
                "worlds": statement.worlds,
                "digest": statement.digest.to_string(),
                "public_key": public,
            }))?;
        } else {
            printer.data(format_args!(
                "`{}` says: {statement}\na gateway trusts it with, in muxel.toml:\n  [plugins]\n  trusted-keys = [\"{public}\"]",
                file.display()
            ))?;
        }
        Ok(ExitStatus::Success)
    }

    fn make_key(&self, path: &Path, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let public_path = with_suffix(path, ".pub");
        for path in [path, &public_path] {
            if path.exists() {
                let why = format!("`{}` is there already", path.display());
                return Mistake::new("exists", why, "a key is not overwritten: name another file")
                    .tell(self.json, printer);
            }
        }
        let pair = KeyPair::generate_unencrypted_keypair().context("no key can be made")?;
        let secret = pair.sk.to_box(Some("muxel plugin signing key"))?.into_string();
        let public = pair.pk.to_base64();
        write_secret(path, &secret).with_context(|| format!("cannot write `{}`", path.display()))?;
        std::fs::write(&public_path, pair.pk.to_box()?.into_string())
            .with_context(|| format!("cannot write `{}`", public_path.display()))?;
        if self.json {
            printer.json(&serde_json::json!({"ok": true, "key": path, "public_key": public}))?;
        } else {
            printer.data(format_args!(
                "secret key in `{}`, not encrypted: keep it where only the signer reads\npublic key {public}",
                path.display()
            ))?;
        }
        Ok(ExitStatus::Success)
    }
}

type Signed = (Statement, PathBuf, String);

fn sign(component: &Path, key: &Path) -> anyhow::Result<Result<Signed, Mistake>> {
    let secret = match secret_key(key) {
        Ok(secret) => secret,
        Err(mistake) => return Ok(Err(mistake)),
    };
    sandbox::prepare_thread();
    let sandbox = Sandbox::new(Compiler::this_program())?;
    let (plugin, bytes) = match load::admit_with_bytes(&sandbox, component) {
        Ok(admitted) => admitted,
        Err(mistake) => return Ok(Err(mistake)),
    };
    if plugin.version().split('.').count() < 3 {
        let why = format!("the plugin calls itself version `{}`", plugin.version());
        return Ok(Err(Mistake::new(
            "version",
            why,
            "signed versions only rise: give it one such as 1.2.3 in `describe`",
        )));
    }
    let statement = Statement {
        name: plugin.name().to_string(),
        version: plugin.version().to_owned(),
        worlds: plugin.worlds(),
        digest: plugin.digest(),
    };
    let comment = statement.to_string();
    let signature =
        minisign::sign(None, &secret, bytes.as_slice(), Some(&comment), Some("signature of a muxel plugin"))
            .context("the key does not sign")?;
    let file = with_suffix(component, ".minisig");
    std::fs::write(&file, signature.into_string()).with_context(|| format!("cannot write `{}`", file.display()))?;
    Ok(Ok((statement, file, PublicKey::from_secret_key(&secret)?.to_base64())))
}

fn secret_key(path: &Path) -> Result<SecretKey, Mistake> {
    let hint = "`minisign -G` or `muxel plugin sign --new-key FILE` makes one";
    let bytes = load::read(path, LARGEST_KEY)?;
    let no_key = || Mistake::new("key", format!("`{}` is no minisign secret key", path.display()), hint);
    if bytes.split(|byte| *byte == b'\n').next().is_some_and(|line| line.windows(10).any(|word| word == b"public key"))
    {
        let why = format!("`{}` is a public key", path.display());
        return Err(Mistake::new("key", why, "sign with the secret one: `--key FILE` without `.pub`"));
    }
    let boxed = || SecretKeyBox::from_string(std::str::from_utf8(&bytes).map_err(|_| no_key())?).map_err(|_| no_key());
    if let Ok(secret) = boxed()?.into_unencrypted_secret_key() {
        return Ok(secret);
    }
    let Ok(password) = std::env::var("MUXEL_SIGN_PASSWORD") else {
        let why = format!("`{}` is encrypted, or no secret key", path.display());
        return Err(Mistake::new("key", why, "put its password into the environment variable MUXEL_SIGN_PASSWORD"));
    };
    boxed()?.into_secret_key(Some(password)).map_err(|_| {
        let why = format!("the password in MUXEL_SIGN_PASSWORD does not open `{}`", path.display());
        Mistake::new("key", why, hint)
    })
}

/// For its owner's eyes only, from its first moment.
fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)?.write_all(text.as_bytes())
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}
