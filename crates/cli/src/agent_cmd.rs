//! `tenure agent`: the product side, for machines without a product that embeds it.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, Subcommand};
use serde::Serialize;
use tenure_agent::{
    Activation, AgentError, Glance, LicenseKeeper, MonthUsage, ReportView, Status, TrustRootStatus, clock_for,
    config::{Config, ConfigError, parse_collector, read_root},
    control::{Command, Outcome, ask_daemon, execute},
    daemon::Daemon,
    journal::FileJournal,
    system::SystemRng,
};
use tenure_core::{Clock, Period, Timestamp};
use tenure_license::{Envelope, LicenseFile, ReportStage};

/// The product side: keep a license, count, report.
#[derive(Args)]
pub(crate) struct AgentArgs {
    #[command(subcommand)]
    command: AgentCommand,
}

#[derive(Subcommand)]
enum AgentCommand {
    /// Activate this machine with a code or an activation file, and write its configuration.
    Init(Box<InitArgs>),
    /// Run: check in, count, report, until the process is stopped.
    #[command(after_help = "Example:\n  tenure agent run --data-dir /var/lib/tenure-agent")]
    Run(Place),
    /// Say how the license stands, why, and what happens next.
    #[command(
        after_help = "Example:\n  tenure agent status --data-dir /var/lib/tenure-agent\n  tenure agent status --json | jq .state"
    )]
    Status {
        #[command(flatten)]
        place: Place,
        /// Print one JSON object with stable fields.
        #[arg(long)]
        json: bool,
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

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenure agent init --server https://license.example.com --root root.json --product backup-server \\\n    \
                  --code 0ABCD-EFGHJ-KMNPQ-RSTVW-XYZ012 \\\n    \
                  --collector restic:repository=/srv/backup,password_file=/etc/restic-password,workload=server\n  \
                  tenure agent init --server https://license.example.com --root root.json --product backup-server \\\n    \
                  --license activation.lic --collector file:path=/var/lib/backup/workloads.csv"
)]
struct InitArgs {
    #[command(flatten)]
    place: Place,
    /// License update server; repeat for more, best first.
    #[arg(long = "server", value_name = "URL", required = true)]
    servers: Vec<String>,
    /// The vendor's trust root.
    #[arg(long, value_name = "FILE")]
    root: PathBuf,
    /// One-time activation code, from the license's page.
    #[arg(long, env = "TENURE_ACTIVATION_CODE", hide_env_values = true, conflicts_with = "license")]
    code: Option<String>,
    /// Activation license file, instead of a code.
    #[arg(long, value_name = "FILE")]
    license: Option<PathBuf>,
    /// Product code of the vendor's catalog.
    #[arg(long, value_name = "CODE")]
    product: String,
    /// Version of the product.
    #[arg(long, value_name = "VERSION", default_value = "")]
    product_version: String,
    /// Where counts come from: `file:path=FILE` or `restic:repository=REPO,password_file=FILE,workload=CODE`, with
    /// further options of agent.toml after commas; repeat for more.
    #[arg(long = "collector", value_name = "KIND:NAME=VALUE,..")]
    collectors: Vec<String>,
    /// Where the license file is written; default: license.lic in the data directory.
    #[arg(long, value_name = "FILE")]
    license_file: Option<PathBuf>,
    /// Do not install new licenses by themselves.
    #[arg(long)]
    no_auto_update: bool,
    /// Speak http:// with other machines too.
    #[arg(long)]
    allow_http: bool,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: AgentArgs) -> Result<ExitCode> {
    match args.command {
        AgentCommand::Init(args) => init(*args),
        AgentCommand::Run(place) => run_daemon(&place),
        AgentCommand::Status { place, json } => show(json, &place.glance()?.status(), print_status),
        AgentCommand::Usage { place, json } => show(json, &place.glance()?.usage(), print_usage),
        AgentCommand::UpdateNow { place, json } => ask(&place, json, |_| Command::UpdateNow),
        AgentCommand::RotateKey { place, json } => ask(&place, json, |_| Command::RotateKey),
        AgentCommand::Report { command } => match command {
            ReportCommand::Show(args) => {
                let glance = args.place.glance()?;
                let period = args.period.unwrap_or_else(|| Period::of(glance.now()).prev());
                show(args.json, &glance.report(period), print_report)
            }
            ReportCommand::Send(args) => ask(&args.place, args.json, |now| Command::ReportSend {
                period: args.period.unwrap_or_else(|| Period::of(now).prev()),
            }),
            ReportCommand::Postpone(args) => ask(&args.place, args.json, |now| Command::ReportPostpone {
                period: args.period.unwrap_or_else(|| Period::of(now).prev()),
            }),
        },
    }
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

fn init(args: InitArgs) -> Result<ExitCode> {
    let root = read_root(&args.root)?;
    let clock = args.place.clock(&root)?;
    let dir = std::path::absolute(&args.place.data_dir)?;
    let mut config = Config::new(&dir, &args.product);
    config.product_version = args.product_version;
    config.servers = args.servers;
    config.auto_update = !args.no_auto_update;
    config.allow_http = args.allow_http;
    config.collectors = args.collectors.iter().map(|given| parse_collector(given)).collect::<Result<_, _>>()?;
    if let Some(path) = args.license_file {
        config.license_file = std::path::absolute(path)?;
    }
    match Config::load(&dir) {
        Ok(before) if before.product != config.product => bail!(
            "{} is the agent of the product `{}`; use another data directory for `{}`",
            dir.display(),
            before.product,
            config.product
        ),
        // Counts that were set up are not forgotten because a command does not repeat them.
        Ok(before) if config.collectors.is_empty() => config.collectors = before.collectors,
        Ok(_) | Err(ConfigError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    // A daemon that runs would not notice a changed configuration: first see that there is none.
    drop(FileJournal::open(&config.journal_dir())?);
    config.save(&root)?;
    let mut keeper = LicenseKeeper::open(&config, clock, Arc::new(SystemRng))?;
    let activation = match (args.code, args.license) {
        (Some(code), _) => keeper.activate(&code)?,
        (None, Some(file)) => keeper.activate_with_file(&activation_file(&file)?)?,
        (None, None) => bail!("give --code CODE or --license FILE"),
    };
    match activation {
        Activation::Active => show(args.json, &keeper.status(), print_activated),
        Activation::NotReached { sentence } => Err(anyhow!(sentence)).context(
            "not activated yet (the request is kept: run the same command again, or `tenure agent run`, which keeps trying)",
        ),
    }
}

fn activation_file(path: &Path) -> Result<Envelope> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    LicenseFile::parse(&text).with_context(|| format!("{} is not a license file", path.display()))
}

fn run_daemon(place: &Place) -> Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TENURE_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(io::stderr)
        .init();
    let config = place.config()?;
    let clock = place.clock(&config.read_root()?)?;
    let daemon = Daemon::open(&config, clock, Arc::new(SystemRng), place.test_clock.is_some())?;
    // Scripts wait for this line; logs go to stderr.
    println!("agent runs in {}", config.data_dir.display());
    io::stdout().flush()?;
    match daemon.run()? {}
}

/// Lets a running daemon do it, or does it here when there is none.
fn ask(place: &Place, json: bool, command: impl FnOnce(Timestamp) -> Command) -> Result<ExitCode> {
    let config = place.config()?;
    let clock = place.clock(&config.read_root()?)?;
    let command = command(Glance::read(&config, clock.clone())?.now());
    let socket = config.socket_path();
    let asked = ask_daemon(&socket, command).with_context(|| format!("cannot ask the daemon at {}", socket.display()));
    let outcome = match asked? {
        Some(outcome) => outcome,
        None => here(&config, clock, command)?,
    };
    if json {
        println!("{}", serde_json::to_string(&outcome)?);
    } else if outcome.done {
        println!("{}", outcome.sentence);
    } else {
        eprintln!("tenure: {}", outcome.sentence);
    }
    Ok(if outcome.done { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn here(config: &Config, clock: Arc<dyn Clock>, command: Command) -> Result<Outcome, AgentError> {
    let mut keeper = LicenseKeeper::open(config, clock, Arc::new(SystemRng))?;
    let outcome = execute(&mut keeper, command);
    keeper.tick()?;
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

fn print_activated(status: &Status) {
    println!("Activated: {}", status.product.as_deref().unwrap_or("a license"));
    print_status(status);
}

fn print_status(status: &Status) {
    println!("{}", status.state);
    println!("{}", status.sentence);
    println!();
    let row = |name: &str, value: Option<String>| {
        if let Some(value) = value {
            println!("{name:<16}{value}");
        }
    };
    let license = status.license.zip(status.serial).map(|(license, serial)| format!("{license}, serial {serial}"));
    row("License", license);
    row("Product", status.product.clone());
    row("Holder", status.holder.clone());
    row("Installation", status.installation.map(|id| id.to_string()));
    row("Valid until", status.expires_at.map(|at| at.to_string()));
    row("Reporting", status.automatic_reporting.map(|by_itself| reporting(by_itself, status.reported_through)));
    row("Updates", Some(if status.automatic_update { "by themselves" } else { "by hand" }.to_owned()));
    row("Trust root", Some(trust_root(&status.trust_root)));
    row("Last contact", status.last_contact.map(|at| at.to_string()));
    row("Last error", status.last_error.clone());
    row("Counting", status.collector_error.clone());
    row("Next check-in", status.next_check_in.map(|at| at.to_string()));
    row("Counted", status.counted_through.map(|day| format!("through {day}")));
    row("Waiting", (status.unsent_documents > 0).then(|| format!("{} documents", status.unsent_documents)));
    for report in &status.reports {
        let received = report.received_at.map_or("not received yet".to_owned(), |at| format!("received {at}"));
        let stage = stage(Some(report.stage));
        row("Report", Some(format!("{} revision {}, {stage}, {received}", report.period, report.revision)));
    }
    if let Some(usage) = &status.current_month {
        println!();
        print_usage(usage);
    }
}

fn reporting(by_itself: bool, through: Option<Period>) -> String {
    match (by_itself, through) {
        (true, Some(through)) => format!("automatic, reported through {through}"),
        (true, None) => "automatic, no month reported yet".to_owned(),
        (false, _) => "by hand".to_owned(),
    }
}

fn trust_root(root: &TrustRootStatus) -> String {
    let notes = root.warnings.iter().chain(&root.refused).map(|note| format!("; {note}"));
    std::iter::once(format!("version {}", root.version)).chain(notes).collect()
}

fn stage(stage: Option<ReportStage>) -> &'static str {
    match stage {
        Some(ReportStage::Preliminary) => "preliminary",
        Some(ReportStage::Final) => "final",
        None => "not made yet",
    }
}

fn print_usage(usage: &MonthUsage) {
    println!("{}: {} days counted", usage.period, usage.observed_days);
    for line in &usage.lines {
        let licensed = line.licensed.map_or(String::new(), |licensed| format!(" of {licensed} licensed"));
        let new = if line.new > 0 { format!(", {} new", line.new) } else { String::new() };
        println!("  {}{}{}", kind(&line.workload, &line.variant), format_args!("{}{licensed}", line.high), new);
    }
}

fn print_report(report: &ReportView) {
    let received = report.received_at.map_or(String::new(), |at| format!(", received {at}"));
    println!("{}: {}, revision {}{received}", report.period, stage(report.stage), report.revision);
    if report.stage != Some(ReportStage::Final) {
        println!("It becomes final by itself at {}.", report.final_at);
    }
    println!("{} days counted", report.observed_days);
    for line in &report.lines {
        let adjusted = if line.count == line.raw { String::new() } else { format!(" (counted {})", line.raw) };
        let new = if line.new > 0 { format!(", {} new", line.new) } else { String::new() };
        println!("  {}{}{adjusted}{new}", kind(&line.workload, &line.variant), line.count);
    }
    for row in &report.workloads {
        let last = Timestamp::from_secs(row.last);
        println!("    {:<40} {:<24} last protected {last}  {:?}", row.id, row.company, row.counted);
    }
}

/// A workload type and its variant, as the first column.
fn kind(workload: &str, variant: &str) -> String {
    let name = if variant.is_empty() { workload.to_owned() } else { format!("{workload}/{variant}") };
    format!("{name:<32}")
}
