//! `muxel serve`: the gateway.

use std::{
    convert::Infallible,
    io::IsTerminal as _,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use anyhow::Context as _;
use clap::Args;
use gateway::{
    App, Source,
    config::{Config, Loaded, Problems},
};
use sandbox::Compiler;
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

use super::load;
use crate::{exit::ExitStatus, printer::Printer};

/// Serve the gateway
///
/// Without a config it serves simulated copies of the catalogue's models on 127.0.0.1:8080: nothing is called, nothing
/// is charged.
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// Config file; without one, providers are simulated
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Address and port to listen on, instead of the config's
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,

    /// Folder to watch for plugins, instead of the config's
    #[arg(long, value_name = "DIR")]
    plugins: Option<PathBuf>,

    /// Folder for the audit log and kept pictures, instead of the config's
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,

    /// What to log, such as `info` or `dispatch=debug`
    #[arg(long, value_name = "FILTER", env = "MUXEL_LOG", default_value = "info")]
    log: String,

    /// Log as JSON, one object a line
    #[arg(long)]
    log_json: bool,
}

impl Serve {
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let settings = Settings { listen: self.listen, plugins: self.plugins.clone(), data: self.data.clone() };
        let loaded = match settings.load(self.config.as_deref()) {
            Ok(loaded) => loaded,
            Err(problems) => {
                printer.say(problems);
                return Ok(ExitStatus::Failure);
            }
        };
        // Without a config there is nothing to be warned of: the greeting says what serves.
        for warning in loaded.warnings.iter().filter(|_| self.config.is_some()) {
            printer.say(warning);
        }
        let source = self.config.clone().map(|file| {
            Source::new(file.display().to_string(), move || settings.load(Some(&file)).map_err(|problems| *problems))
        });
        let filter = match EnvFilter::try_new(&self.log) {
            Ok(filter) => filter,
            Err(error) => {
                printer.failure(format_args!("`--log {}` is not a filter: {error}", self.log), Some("try `info`"));
                return Ok(ExitStatus::Failure);
            }
        };
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_ansi(std::io::stderr().is_terminal())
            .with_writer(std::io::stderr);
        if self.log_json {
            log.json().init()
        } else {
            log.compact().init()
        }
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            // A worker runs plugins inline: its first call should not be its slowest.
            .on_thread_start(sandbox::prepare_thread)
            .build()
            .context("cannot start the runtime")?;
        runtime.block_on(self.serve(&loaded.config, source, printer))
    }

    async fn serve(&self, config: &Config, source: Option<Source>, printer: &Printer) -> anyhow::Result<ExitStatus> {
        // Before anything takes time: without a handler, the signal would end this process.
        let hangups = Hangups::listen(printer);
        let listener = match TcpListener::bind(config.server.listen).await {
            Ok(listener) => listener,
            Err(error) => {
                let message = format!("cannot listen on {}: {error}", config.server.listen);
                printer.failure(message, Some("choose another port with `--listen 127.0.0.1:8081`"));
                return Ok(ExitStatus::Failure);
            }
        };
        let app = match App::build(config, source, Compiler::this_program()).await {
            Ok(app) => app,
            Err(error) if error.is_users() => {
                let hint = error.hint();
                printer.failure(format_args!("{:#}", anyhow::Error::new(error)), hint);
                return Ok(ExitStatus::Failure);
            }
            Err(error) => return Err(error.into()),
        };
        let address = listener.local_addr().context("the socket has no address")?;
        self.greet(config, address, printer);
        let server = &config.server;
        let serving = gateway::serve(listener, app.router(), server.header_timeout, server.drain, stopped(printer));
        let connections = tokio::select! {
            connections = serving => connections,
            never = reload_on_hangup(&app, hangups) => match never {},
        };
        // Requests whose callers have left get the time that is left of the connections' patience, or none.
        let finished = app.finish(if connections { server.drain } else { std::time::Duration::ZERO }).await;
        if connections && finished {
            printer.say("all requests are finished and recorded");
            return Ok(ExitStatus::Success);
        }
        printer.say("some requests did not finish in time: see `muxel audit list`");
        Ok(ExitStatus::Unexpected)
    }

    fn greet(&self, config: &Config, address: SocketAddr, printer: &Printer) {
        let models: usize = config.accounts.iter().map(|account| account.models.len()).sum();
        let simulated =
            if self.config.is_none() { ", all simulated: nothing is called, nothing is charged" } else { "" };
        printer.say(format_args!("{models} models of {} providers{simulated}", config.accounts.len()));
        match &config.plugins.folder {
            Some(folder) => printer.say(format_args!("watching `{}` for plugins", folder.display())),
            None => printer.say("bundled plugins only: name a folder with `--plugins DIR` to drop in your own"),
        }
        printer.say(format_args!("listening on http://{address}"));
        let muxel = std::env::args().next().unwrap_or_else(|| "muxel".to_owned());
        let with = self.config.as_ref().map_or(String::new(), |file| format!(" --config {}", file.display()));
        printer.say(format_args!(
            "\ntry this:\n  curl -s -D- -o answer.json -H 'content-type: application/json' \
             -d '{{\"model\": \"auto\", \"prompt\": \"a red bicycle\"}}' http://{address}/v1/images/generations\n  \
             curl -s http://{address}/v1/decisions/DECISION    (from the header x-muxel-decision)\n  \
             {muxel} decide 'a poster that says \"OPEN\"'{with}\n"
        ));
    }
}

/// What the command line says instead of the file, at the start and at every reload.
struct Settings {
    listen: Option<SocketAddr>,
    plugins: Option<PathBuf>,
    data: Option<PathBuf>,
}

impl Settings {
    fn load(&self, file: Option<&Path>) -> Result<Loaded, Box<Problems>> {
        let mut loaded = load::config(file, self.listen)?;
        let config = &mut loaded.config;
        if self.plugins.is_some() {
            config.plugins.folder.clone_from(&self.plugins);
        }
        if let Some(folder) = &self.data {
            config.data.dir.clone_from(folder);
        }
        Ok(loaded)
    }
}

/// SIGHUP, where there is such a thing.
struct Hangups {
    #[cfg(unix)]
    signals: Option<tokio::signal::unix::Signal>,
}

impl Hangups {
    fn listen(printer: &Printer) -> Self {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signals = signal(SignalKind::hangup());
            let signals = signals.inspect_err(|error| printer.say(format_args!("SIGHUP will end this: {error}"))).ok();
            Self { signals }
        }
        #[cfg(not(unix))]
        {
            let _ = printer;
            Self {}
        }
    }

    /// Resolves when there was one since the last time.
    async fn next(&mut self) {
        #[cfg(unix)]
        if let Some(signals) = &mut self.signals
            && signals.recv().await.is_some()
        {
            return;
        }
        std::future::pending().await
    }
}

/// Reads the configuration again on SIGHUP. The log says what came of it.
async fn reload_on_hangup(app: &App, mut hangups: Hangups) -> Infallible {
    loop {
        hangups.next().await;
        // Reported in the log already, and there is nobody else to tell.
        let _ = app.reload().await;
    }
}

/// Resolves on SIGTERM or Ctrl-C.
async fn stopped(printer: &Printer) {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut terminate) => tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            },
            Err(error) => {
                printer.say(format_args!("SIGTERM will end this at once: {error}"));
                // Without a handler for it, Ctrl-C is all there is.
                let _ = tokio::signal::ctrl_c().await;
            }
        }
    }
    #[cfg(not(unix))]
    {
        // Without a handler there is nothing to wait for.
        let _ = tokio::signal::ctrl_c().await;
    }
    printer.say("stopping: requests under way are finished, new ones are refused");
}
