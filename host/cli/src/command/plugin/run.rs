//! `muxel plugin run`: asks a plugin about a few requests and shows what it answers and what each answer took.

mod report;
mod requests;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use gateway::Preview;
use sandbox::{Compiler, Plugin, Plugins};
use tokio::runtime::Runtime;

use super::{
    gauge::thousands,
    load::{self, stamp},
    mistake::Mistake,
};
use crate::{command, exit::ExitStatus, printer::Printer};
use report::Report;
use requests::Line;

/// How often to look whether the file has changed.
const LOOK: Duration = Duration::from_millis(300);

/// Ask a plugin about a few requests: its answers, and what each took of what is allowed
///
/// Candidates and prices are those of the catalogue or of a config. Nobody is called and nothing is recorded.
#[derive(Debug, Args)]
pub(crate) struct Run {
    /// Component to ask
    #[arg(value_name = "FILE")]
    component: PathBuf,

    /// Requests to ask about: CSV with a column `prompt`, or one request's JSON body a line
    #[arg(long, value_name = "FILE", conflicts_with = "recorded")]
    requests: Option<PathBuf>,

    /// Data folder of a gateway, running or not: ask about its last requests
    #[arg(long, value_name = "DIR")]
    recorded: Option<PathBuf>,

    /// How many of the recorded requests
    #[arg(long, value_name = "COUNT", default_value_t = 20, requires = "recorded", value_parser = clap::value_parser!(u32).range(1..=1000))]
    last: u32,

    /// Config file; without one, the catalogue as it comes
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// Run again whenever the component changes, until stopped
    #[arg(long)]
    watch: bool,

    /// Print one JSON object for each request
    #[arg(long)]
    json: bool,
}

impl Run {
    /// Exits with 1 when the plugin is refused, faults, or a request cannot be read.
    pub(crate) fn run(self, printer: &mut Printer) -> anyhow::Result<ExitStatus> {
        let Some(config) = command::load::config_or_say(self.config.as_deref(), printer) else {
            return Ok(ExitStatus::Failure);
        };
        let plugins = gateway::load_plugins(&config.plugins, Compiler::this_program())?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let entered = runtime.enter();
        sandbox::prepare_thread();
        let preview = Preview::new(&config, &plugins);
        drop(entered);
        let mut seen = stamp(&self.component);
        loop {
            let status = self.once(&plugins, &preview, &runtime, printer)?;
            if !self.watch {
                return Ok(status);
            }
            printer.flush()?;
            seen = runtime.block_on(self.changed(seen));
            if !self.json {
                printer.say(format_args!("\n-- `{}` has changed", self.component.display()));
            }
        }
    }

    /// Waits for another stamp that has kept still for one look. A file that is gone is waited for.
    async fn changed(&self, seen: load::Stamp) -> load::Stamp {
        let mut before = seen;
        loop {
            tokio::time::sleep(LOOK).await;
            let now = stamp(&self.component);
            if now.is_some() && now != seen && now == before {
                return now;
            }
            before = now;
        }
    }

    fn once(
        &self,
        plugins: &Plugins,
        preview: &Preview,
        runtime: &Runtime,
        printer: &mut Printer,
    ) -> anyhow::Result<ExitStatus> {
        let asked = load::admit(plugins.sandbox(), &self.component);
        let asked = asked.and_then(|plugin| Ok((Arc::new(plugin), self.lines(runtime)?)));
        match asked {
            Ok((plugin, lines)) => {
                let _entered = runtime.enter();
                self.ask(&plugin, preview, lines, printer)
            }
            Err(mistake) => mistake.tell(self.json, printer),
        }
    }

    fn lines(&self, runtime: &Runtime) -> Result<Vec<Line>, Mistake> {
        match (&self.requests, &self.recorded) {
            (Some(file), _) => requests::of_file(file),
            (None, Some(folder)) => runtime.block_on(requests::recorded(folder, self.last)),
            (None, None) => Ok(requests::fixtures()),
        }
    }

    fn ask(
        &self,
        plugin: &Arc<Plugin>,
        preview: &Preview,
        lines: Vec<Line>,
        printer: &mut Printer,
    ) -> anyhow::Result<ExitStatus> {
        let name = plugin.name();
        let mut sum = Sum::default();
        let count = lines.len();
        for (index, line) in lines.into_iter().enumerate() {
            let tried = line.and_then(|case| match preview.try_out(plugin, &case) {
                Ok(tried) => Ok((case, tried)),
                Err(error) => {
                    let reason = format!("request {}: {error}", index + 1);
                    Err(Mistake { code: "request", reason, hint: error.hint() })
                }
            });
            let (case, tried) = match tried {
                Ok(tried) => tried,
                Err(mistake) => {
                    sum.unread += 1;
                    mistake.tell(self.json, printer)?;
                    continue;
                }
            };
            let report = Report::new(&name, plugin.limits(), &case.request, &tried);
            sum.add(&report);
            if self.json {
                printer.json_line(&report)?;
            } else {
                printer.data(format_args!("{}\n", report.text(index + 1, count)))?;
            }
        }
        if !self.json {
            printer.data(sum.text())?;
            let advice = sum.fault.as_ref().and_then(|(code, detail)| load::advice(code, detail));
            if let Some(advice) = advice {
                printer.say(format_args!("\nhint: {advice}"));
            } else if sum.unread == 0 && !self.watch {
                printer.say(format_args!("\nnext: put it into the folder that a gateway watches, as `{name}.wasm`"));
            }
        }
        let clean = sum.fault.is_none() && sum.unread == 0;
        Ok(if clean { ExitStatus::Success } else { ExitStatus::Failure })
    }
}

/// All requests of one run together.
#[derive(Default)]
struct Sum {
    asked: usize,
    faults: usize,
    differ: usize,
    unread: usize,
    fuel: u64,
    /// Code and detail of the first one.
    fault: Option<(String, String)>,
}

impl Sum {
    fn add(&mut self, report: &Report<'_>) {
        self.asked += 1;
        self.differ += usize::from(report.differs);
        self.fuel = self.fuel.max(report.fuel());
        if let Some((code, detail)) = report.fault() {
            self.faults += 1;
            self.fault.get_or_insert_with(|| (code.to_owned(), detail.to_owned()));
        }
    }

    fn text(&self) -> String {
        let unread = if self.unread > 0 { format!(", {} could not be asked", self.unread) } else { String::new() };
        format!(
            "{} requests: {} faults{unread}; {} served by another than without it; at most {} fuel",
            self.asked,
            self.faults,
            self.differ,
            thousands(self.fuel),
        )
    }
}
