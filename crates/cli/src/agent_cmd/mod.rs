//! `tenure agent`: the product side, for machines without a product that embeds it.

mod files;
mod init;
mod print;

use std::{
    io::{self, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    process::ExitCode,
    str::FromStr,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tenure_agent::{
    AgentError, Glance, LicenseKeeper, Status, clock_for,
    config::Config,
    control::{Command, Outcome, ask_daemon, execute},
    daemon::Daemon,
    metrics,
    nagios::{self, Severity},
    system::SystemRng,
};
use tenure_core::{Clock, Period, Timestamp};
use tenure_license::Envelope;

use print::{print_report, print_status, print_usage};

/// The product side: keep a license, count, report.
#[derive(Args)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Subcommand)]
enum AgentCommand {
    /// Activate this machine with a code or an activation file, and write its configuration.
    Init(Box<init::InitArgs>),
    /// Run: check in, count, report, until the process is stopped.
    #[command(after_help = "Example:\n  tenure agent run --data-dir /var/lib/tenure-agent \\\n    \
                            --prometheus-textfile /var/lib/node_exporter/tenure.prom")]
    Run {
        #[command(flatten)]
        place: Place,
        /// Write metrics into FILE, which the node exporter's textfile collector reads.
        #[arg(long, value_name = "FILE")]
        prometheus_textfile: Option<PathBuf>,
        /// Where the product's own page is served: a loopback address, or `off`. By default on a free port; `tenure agent
        /// open` names it.
        #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", env = "TENURE_AGENT_PAGE")]
        page: PageAddress,
    },
    /// Print a one-time address of the product's own page, to be opened in a browser on this machine.
    ///
    /// The address opens the page once, within ten minutes; the browser is then let in for as long as it is used.
    #[command(
        after_help = "Examples:\n  tenure agent open\n  xdg-open \"$(tenure agent open)\"\n\nFrom another machine, where the daemon runs with --page 127.0.0.1:7340: open a session that \
                      forwards the port and stays, run the command in it, and open its address in the browser here:\n  \
                      ssh -L 7340:127.0.0.1:7340 backup-01.example.com\n  tenure agent open"
    )]
    Open {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Say how the license stands, why, and what happens next.
    #[command(
        after_help = "Examples:\n  tenure agent status --data-dir /var/lib/tenure-agent\n  tenure agent status --json | jq .state\n  \
                      tenure agent status --nagios\n\nWith --nagios the exit code is 0 ok, 1 warning, 2 critical, 3 unknown."
    )]
    Status {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object with stable fields.
        #[arg(long, conflicts_with = "nagios")]
        json: bool,
        /// Print one line as Nagios plugins do, and exit with 0, 1, 2 or 3.
        #[arg(long)]
        nagios: bool,
        /// Write metrics into FILE, which the node exporter's textfile collector reads.
        #[arg(long, value_name = "FILE")]
        prometheus_textfile: Option<PathBuf>,
    },
    /// Ask for the current license at once.
    #[command(after_help = "Example:\n  tenure agent update-now")]
    UpdateNow {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Hand over to a new installation key; the old one is refused from then on.
    #[command(after_help = "Example:\n  tenure agent rotate-key --data-dir /var/lib/tenure-agent")]
    RotateKey {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Show what was used this month so far.
    #[command(after_help = "Example:\n  tenure agent usage --json")]
    Usage {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Look at a month's usage report, send it, or be asked tomorrow.
    Report {
        #[command(subcommand)]
        command: ReportCommand,
    },
    /// Take a workload out of a month's report, with a reason; or take all such adjustments back.
    ///
    /// The report carries both figures, the counted one and the adjusted one, with the reason.
    #[command(
        after_help = "Examples:\n  tenure agent adjust vm-0017 --reason test_machine --note \"Restored for a drill.\"\n  \
                            tenure agent adjust --reset --period 2026-01"
    )]
    Adjust(AdjustArgs),
    /// Look at everything the agent depends on, and say what to do about what does not work.
    #[command(
        after_help = "Examples:\n  tenure agent doctor --data-dir /var/lib/tenure-agent\n  tenure agent doctor --json | jq '.[] | select(.level != \"ok\")'\n\n\
                      Exits with 1 when something does not work."
    )]
    Doctor {
        #[command(flatten)]
        place: Place,
        /// Print one JSON array.
        #[arg(long)]
        json: bool,
    },
    /// Without a network: put the next request into a file, to be carried to the license server.
    #[command(after_help = "Example:\n  tenure agent request --out /media/usb/request.txt")]
    Request {
        #[command(flatten)]
        place: Place,
        /// Where the file is written; by default under a name of its own in the working directory.
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
    /// Take a file that was brought: the answer to a request, or a license for this installation.
    #[command(after_help = "Example:\n  tenure agent import /media/usb/answer.txt")]
    Import {
        #[command(flatten)]
        place: Place,
        /// The file.
        #[arg(value_name = "FILE")]
        file: PathBuf,
        /// Print one JSON object.
        #[arg(long)]
        json: bool,
    },
}

#[derive(Subcommand)]
enum ReportCommand {
    /// Show the figures as they are reported, and the workloads behind them.
    #[command(after_help = "Example:\n  tenure agent report show --period 2026-01")]
    Show(ReportArgs),
    /// Send the report as final now, instead of waiting until it becomes final by itself.
    #[command(after_help = "Example:\n  tenure agent report send --period 2026-01")]
    Send(ReportArgs),
    /// Put the question off until tomorrow; the report still becomes final by itself on its day.
    #[command(after_help = "Example:\n  tenure agent report postpone")]
    Postpone(ReportArgs),
}

/// What is taken out, and why.
#[derive(Args)]
struct AdjustArgs {
    #[command(flatten)]
    place: Place,
    /// The workload, as `tenure agent report show` lists it.
    #[arg(value_name = "ID", required_unless_present = "reset", conflicts_with = "reset")]
    id: Option<String>,
    /// Its type, or TYPE/VARIANT, where several have this id.
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<String>,
    /// Reason code, as `test_machine`.
    #[arg(long, value_name = "CODE", required_unless_present = "reset")]
    reason: Option<String>,
    /// The reason in a sentence.
    #[arg(long, value_name = "TEXT", required_unless_present = "reset")]
    note: Option<String>,
    /// Take all adjustments of the month back.
    #[arg(long)]
    reset: bool,
    /// The month, as 2026-01; the last one by default.
    #[arg(long, value_name = "MONTH")]
    period: Option<Period>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
struct ReportArgs {
    #[command(flatten)]
    place: Place,
    /// The month, as 2026-01; the last one by default.
    #[arg(long, value_name = "MONTH")]
    period: Option<Period>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

/// Which installation.
#[derive(Args)]
struct Place {
    /// The agent's data directory.
    #[arg(long, value_name = "DIR", env = "TENURE_AGENT_DIR", default_value = "/var/lib/tenure-agent")]
    data_dir: PathBuf,
    /// Follow the instant written in FILE; only for test deployments.
    #[arg(long, value_name = "FILE", env = "TENURE_TEST_CLOCK")]
    test_clock: Option<PathBuf>,
}

pub(crate) fn run(args: AgentArgs) -> Result<ExitCode> {
    match args.command {
        AgentCommand::Init(args) => init::init(*args),
        AgentCommand::Run { place, prometheus_textfile, page } => run_daemon(&place, prometheus_textfile, &page),
        AgentCommand::Open { place, json } => open(&place, json),
        AgentCommand::Status { place, nagios: true, prometheus_textfile, .. } => {
            Ok(by_nagios(&place, prometheus_textfile.as_deref()))
        }
        AgentCommand::Status { place, json, prometheus_textfile, .. } => {
            let status = place.glance()?.status();
            write_metrics(prometheus_textfile.as_deref(), &status)?;
            show(json, &status, print_status)
        }
        AgentCommand::Usage { place, json } => show(json, &place.glance()?.usage(), print_usage),
        AgentCommand::UpdateNow { place, json } => ask(&place, json, |_| Command::UpdateNow),
        AgentCommand::RotateKey { place, json } => ask(&place, json, |_| Command::RotateKey),
        AgentCommand::Report { command } => report(command),
        AgentCommand::Adjust(args) => adjust(args),
        AgentCommand::Doctor { place, json } => files::doctor(&place, json),
        AgentCommand::Request { place, out, json } => files::request(&place, out, json),
        AgentCommand::Import { place, file, json } => files::import(&place, &file, json),
    }
}

fn report(command: ReportCommand) -> Result<ExitCode> {
    match command {
        ReportCommand::Show(args) => {
            let glance = args.place.glance()?;
            let period = month_meant(args.period, glance.now());
            show(args.json, &glance.report(period), print_report)
        }
        ReportCommand::Send(args) => {
            ask(&args.place, args.json, |now| Command::ReportSend { period: month_meant(args.period, now) })
        }
        ReportCommand::Postpone(args) => {
            ask(&args.place, args.json, |now| Command::ReportPostpone { period: month_meant(args.period, now) })
        }
    }
}

fn month_meant(given: Option<Period>, now: Timestamp) -> Period {
    given.unwrap_or_else(|| Period::of(now).prev())
}

fn adjust(args: AdjustArgs) -> Result<ExitCode> {
    let AdjustArgs { place, id, kind, reason, note, reset, period, json } = args;
    ask(&place, json, |now| {
        let period = month_meant(period, now);
        if reset {
            return Command::ResetAdjustments { period };
        }
        // Without --reset the command line requires all three.
        let (id, reason, note) = (id.unwrap_or_default(), reason.unwrap_or_default(), note.unwrap_or_default());
        Command::Adjust { period, id, kind, reason, note }
    })
}

/// A monitor's check never fails in another way than by its exit code.
fn by_nagios(place: &Place, textfile: Option<&Path>) -> ExitCode {
    let looked = place.glance().and_then(|glance| {
        let status = glance.status();
        write_metrics(textfile, &status)?;
        Ok(nagios::check(&status))
    });
    let (severity, line) = looked.unwrap_or_else(|error| (Severity::Unknown, nagios::unknown(&format!("{error:#}"))));
    println!("{line}");
    ExitCode::from(severity as u8)
}

fn write_metrics(path: Option<&Path>, status: &Status) -> Result<()> {
    path.map_or(Ok(()), |path| metrics::write(path, status).with_context(|| format!("cannot write {}", path.display())))
}

impl Place {
    fn config(&self) -> Result<Config> {
        Ok(Config::load(&self.data_dir)?)
    }

    fn clock(&self, root: &Envelope) -> Result<Arc<dyn Clock>> {
        Ok(clock_for(root, self.test_clock.as_deref())?)
    }

    /// A look at the installation, whether a daemon runs or not.
    fn glance(&self) -> Result<Glance> {
        let config = self.config()?;
        let clock = self.clock(&config.read_root()?)?;
        Ok(Glance::read(&config, clock)?)
    }
}

/// Where the page is served, if anywhere.
#[derive(Clone)]
enum PageAddress {
    At(SocketAddr),
    Off,
}

impl FromStr for PageAddress {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == "off" {
            return Ok(Self::Off);
        }
        match text.parse::<SocketAddr>() {
            Ok(address) if address.ip().is_loopback() => Ok(Self::At(address)),
            Ok(_) => {
                Err("the page is served on this machine only: give a loopback address as 127.0.0.1:7340".to_owned())
            }
            Err(_) => Err("give an address with its port as 127.0.0.1:7340, or `off`".to_owned()),
        }
    }
}

/// Asks the daemon for an address of its page.
fn open(place: &Place, json: bool) -> Result<ExitCode> {
    let socket = place.config()?.socket_path();
    let asked = ask_daemon(&socket, &Command::OpenPage);
    let Some(outcome) = asked.with_context(|| format!("cannot ask the daemon at {}", socket.display()))? else {
        bail!("no daemon runs in {}, so there is no page: start `tenure agent run`", place.data_dir.display());
    };
    match (&outcome.address, json) {
        (_, true) => println!("{}", serde_json::to_string(&outcome)?),
        // The address alone, so that a script can hand it to a browser.
        (Some(address), false) => println!("{address}"),
        (None, false) => bail!("{}", outcome.sentence),
    }
    Ok(if outcome.done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn run_daemon(place: &Place, textfile: Option<PathBuf>, page: &PageAddress) -> Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TENURE_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(io::stderr)
        .init();
    let config = place.config()?;
    let clock = place.clock(&config.read_root()?)?;
    let rng = Arc::new(SystemRng);
    let mut daemon = Daemon::open(&config, clock.clone(), rng.clone(), place.test_clock.is_some())?;
    if let PageAddress::At(listen) = page
        && let Err(error) = daemon.serve_page(*listen, &config, clock, rng)
    {
        // Counting and reporting are worth more than the page.
        tracing::warn!(error = &error as &dyn std::error::Error, "the page is not served");
    }
    let daemon = daemon.with_textfile(textfile);
    // Scripts wait for this line; logs go to stderr.
    println!("agent runs in {}", config.data_dir.display());
    io::stdout().flush()?;
    match daemon.run()? {}
}

/// Lets a running daemon do it, or does it here when there is none, and says what came of it.
fn ask(place: &Place, json: bool, command: impl FnOnce(Timestamp) -> Command) -> Result<ExitCode> {
    let outcome = outcome_of(place, command)?;
    if json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else if outcome.done {
        println!("{}", outcome.sentence);
    } else {
        eprintln!("tenure: {}", outcome.sentence);
    }
    Ok(if outcome.done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn outcome_of(place: &Place, command: impl FnOnce(Timestamp) -> Command) -> Result<Outcome> {
    let config = place.config()?;
    let clock = place.clock(&config.read_root()?)?;
    let command = command(Glance::read(&config, clock.clone())?.now());
    let socket = config.socket_path();
    let asked = ask_daemon(&socket, &command);
    match asked.with_context(|| format!("cannot ask the daemon at {}", socket.display()))? {
        Some(outcome) => Ok(outcome),
        None => Ok(here(&config, clock, command)?),
    }
}

fn here(config: &Config, clock: Arc<dyn Clock>, command: Command) -> Result<Outcome, AgentError> {
    let mut keeper = LicenseKeeper::open(config, clock, Arc::new(SystemRng))?;
    // Whoever carries files has no network: what is due waits for the next run.
    let by_hand = matches!(command, Command::MakeRequestFile | Command::Import { .. });
    let outcome = execute(&mut keeper, command);
    if !by_hand {
        keeper.tick()?;
    }
    Ok(outcome)
}

fn show<T: Serialize>(json: bool, value: &T, print: fn(&T)) -> Result<ExitCode> {
    if json {
        println!("{}", serde_json::to_string(value)?);
    } else {
        print(value);
    }
    Ok(ExitCode::SUCCESS)
}
