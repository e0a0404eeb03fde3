//! `tenure serve`: the server.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, str::FromStr, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Args;
use tenure_core::Clock;
use tenure_portal::PortalOptions;
use tenure_server::{
    Door, Edge, Ended, FileClock, LogFormat, Mailer, Network, SystemClock, SystemRng, send_letters, subscriber,
};
use tenure_service::{
    Limit, LimitPolicy, Limits, Outside, ParseLimitError, check_date, open_service, policy_now, step_after_failover,
};
use tenure_store::{Store, transfer};
use tokio::net::TcpListener;

use crate::database::{DatabaseArgs, WitnessArgs, lock_shared, sealing_key};

/// Serve the product API, the provider API and the portal.
#[derive(Args)]
#[command(after_help = "Example:\n  tenure serve --data-dir ./tenure --listen 127.0.0.1:8480 --key-file ./tenure.key")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Address to listen on; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDR", env = "TENURE_LISTEN", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
    /// Address for the operator alone: /metrics, /healthz and /readyz, without a guard.
    #[arg(long, value_name = "ADDR", env = "TENURE_METRICS_LISTEN")]
    metrics_listen: Option<SocketAddr>,
    /// People reach the portal over https, at a proxy in front: cookies are then for https alone.
    #[arg(long, env = "TENURE_HTTPS")]
    https: bool,
    /// Form of the log on stderr: `text`, or `json` with an object a line.
    #[arg(long, value_name = "FORM", env = "TENURE_LOG_FORMAT", default_value = "text")]
    log_format: LogFormat,
    #[command(flatten)]
    limits: LimitArgs,
    /// The key that opens the sealed private keys.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Follow the instant written in FILE; only a deployment made with `init --test-clock` accepts it.
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
    /// An operator says that this machine's date is right, after a long stop or a corrected clock.
    #[arg(long)]
    confirm_date: bool,
    #[command(flatten)]
    witness: WitnessArgs,
    /// Mail server for letters to people: smtps://USER:PASSWORD@HOST, smtp://HOST:587?tls=required, or
    /// smtp://127.0.0.1:25 on this machine; without it, what people should hear waits.
    #[arg(long, value_name = "URL", env = "TENURE_SMTP", hide_env_values = true, requires_all = ["mail_from", "portal_url"])]
    smtp: Option<String>,
    /// Sender of these letters, as `Tenure <tenure@example.com>`.
    #[arg(long, value_name = "ADDRESS", env = "TENURE_MAIL_FROM")]
    mail_from: Option<String>,
    /// Address under which people reach this server, for the links in letters.
    #[arg(long, value_name = "URL", env = "TENURE_PORTAL_URL")]
    portal_url: Option<String>,
}

/// How much one caller may ask for, and whom to believe about it. A deployment on a test clock has no limits unless they
/// are given.
#[derive(Args)]
struct LimitArgs {
    /// Requests of one address (IPv6: one /64), before anything is verified: RATE/BURST a second, or `off`.
    #[arg(long, value_name = "RATE/BURST", env = "TENURE_LIMIT_ADDRESS")]
    limit_address: Option<Wanted>,
    /// Check-ins of one installation, after verification: RATE/BURST a second, or `off`.
    #[arg(long, value_name = "RATE/BURST", env = "TENURE_LIMIT_INSTALLATION")]
    limit_installation: Option<Wanted>,
    /// Requests of one API token: RATE/BURST a second, or `off`.
    #[arg(long, value_name = "RATE/BURST", env = "TENURE_LIMIT_TOKEN")]
    limit_token: Option<Wanted>,
    /// A proxy in front whose X-Forwarded-For is believed: an address or a network, as 10.0.0.0/8. May be repeated.
    #[arg(long, value_name = "NETWORK", env = "TENURE_TRUST_PROXY", value_delimiter = ',')]
    trust_proxy: Vec<Network>,
}

/// A limit, or none.
#[derive(Clone, Copy)]
struct Wanted(Option<Limit>);

impl FromStr for Wanted {
    type Err = ParseLimitError;

    fn from_str(text: &str) -> Result<Self, ParseLimitError> {
        if text == "off" { Ok(Self(None)) } else { text.parse().map(|limit| Self(Some(limit))) }
    }
}

impl LimitArgs {
    fn policy(&self, test_clock: bool) -> LimitPolicy {
        let otherwise = if test_clock { LimitPolicy::OFF } else { LimitPolicy::default() };
        let or = |given: Option<Wanted>, otherwise| given.map_or(otherwise, |wanted| wanted.0);
        LimitPolicy {
            address: or(self.limit_address, otherwise.address),
            installation: or(self.limit_installation, otherwise.installation),
            token: or(self.limit_token, otherwise.token),
        }
    }
}

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    let filter = tracing_subscriber::EnvFilter::try_from_env("TENURE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    tracing::subscriber::set_global_default(subscriber(args.log_format, filter, std::io::stderr))?;
    tokio::runtime::Runtime::new()?.block_on(serve(args))
}

async fn serve(args: ServeArgs) -> Result<ExitCode> {
    let mailer = match (&args.smtp, &args.mail_from, &args.portal_url) {
        (Some(url), Some(from), Some(portal)) => Some(Mailer::new(url, from, portal)?),
        _ => None,
    };
    let sealing = sealing_key(&args.database, args.key_file.as_deref())?;
    let clock: Arc<dyn Clock> = match &args.test_clock {
        Some(path) => Arc::new(FileClock::open(path)?),
        None => Arc::new(SystemClock::new()),
    };
    let _served = args.database.data_dir().filter(|dir| dir.is_dir()).map(lock_shared).transpose()?;
    let store = Store::open(&args.database.url()?, Arc::new(SystemRng)).await?;
    store.migrate().await?;
    if transfer::is_unfinished(&store).await? {
        bail!("a deployment is half moved into this database: run `tenure migrate-data` again until it is whole");
    }
    let outside = args.witness.outside(&args.database, args.key_file.as_deref());
    may_start(&args, &store, &*clock, &outside).await?;
    let service = open_service(store.clone(), clock, Arc::new(SystemRng), &sealing).await?;
    match (service.deployment().test_clock, args.test_clock.is_some()) {
        (false, true) => bail!("this deployment was not made for a test clock; a real one never follows a file"),
        (true, false) => bail!("this deployment was made with --test-clock: give --test-clock FILE"),
        _ => {}
    }
    service.keep_outside(outside);
    let policy = args.limits.policy(args.test_clock.is_some());
    // The machine's time fills the buckets, whatever clock the deployment follows.
    service.limit(Limits::new(policy, Arc::new(SystemClock::new()), Arc::new(SystemRng)));
    let portal = PortalOptions { https: args.https, sends_letters: mailer.is_some() };
    let edge = Edge { portal, proxies: args.limits.trust_proxy.into(), ..Edge::default() };
    let listener = bind(args.listen).await?;
    let mut lines = vec![format!("listening on http://{}", listener.local_addr()?)];
    let mut doors = vec![Door { listener, app: tenure_server::app_with(service.clone(), edge.clone()) }];
    if let Some(address) = args.metrics_listen {
        let listener = bind(address).await?;
        lines.push(format!("metrics on http://{}/metrics", listener.local_addr()?));
        doors.push(Door { listener, app: tenure_server::operator(service.clone(), edge.metrics) });
    }
    // Scripts wait for these lines; logs go to stderr.
    println!("{}", lines.join("\n"));
    let letters = mailer.map(|mailer| tokio::spawn(send_letters(service.clone(), mailer)));
    let ended = tenure_server::serve(doors, service, std::future::pending()).await?;
    // A letter that was sent and is not settled yet is sent again, and says that it is the same.
    if let Some(letters) = letters {
        letters.abort();
    }
    if ended == Ended::Hard {
        // What is queued is not waited for: it was not acknowledged.
        std::process::exit(1);
    }
    store.close().await;
    if ended == Ended::FailedOver {
        bail!("the database failed over to another server: start again, which begins a new epoch");
    }
    Ok(ExitCode::SUCCESS)
}

async fn bind(address: SocketAddr) -> Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

/// Refuses what would do harm with every answer: a database that is older than what this deployment once signed (C7), and a
/// date that nobody confirmed (T2). A PostgreSQL server that is another than before begins a new epoch.
async fn may_start(args: &ServeArgs, store: &Store, clock: &dyn Clock, outside: &Outside) -> Result<()> {
    let known =
        outside.high_water().with_context(|| format!("cannot read the files in {}", outside.dir().display()))?;
    if let Some(done) = step_after_failover(store, clock, known, outside.revocations()?).await? {
        tracing::warn!(epoch = done.epoch, since = %done.since, "the database is served from elsewhere: a new epoch begins");
        outside.set_high_water(&done.high_water).context("the new epoch cannot be written down")?;
    }
    if let Some(stale) = outside.judge(store).await? {
        bail!(stale);
    }
    let Some(policy) = policy_now(store, clock).await? else { return Ok(()) };
    if let Some(fault) = check_date(store, clock, &policy, args.confirm_date).await? {
        bail!(
            "{fault}; this machine says it is {}. If that is right, start once with --confirm-date; if not, set the clock",
            clock.now()
        );
    }
    Ok(())
}
