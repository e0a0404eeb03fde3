//! `tenure serve`: the server.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Args;
use tenure_core::Clock;
use tenure_portal::PortalOptions;
use tenure_server::{FileClock, SystemClock, SystemRng};
use tenure_service::{Outside, check_date, open_service, policy_now, step_after_failover};
use tenure_store::Store;
use tokio::net::TcpListener;

use crate::database::{DatabaseArgs, WitnessArgs, lock_shared, sealing_key};

/// Serve the product API, the provider API and the portal.
#[derive(Args)]
#[command(after_help = "Example:\n  tenure serve --data-dir ./tenure --listen 127.0.0.1:8480 --key-file ./tenure.key")]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Address to listen on; port 0 takes a free one and prints it.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8480")]
    listen: SocketAddr,
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
}

pub(crate) fn run(args: ServeArgs) -> Result<ExitCode> {
    tracing_subscriber::fmt()
        .with_env_filter(
            tracing_subscriber::EnvFilter::try_from_env("TENURE_LOG")
                .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info")),
        )
        .with_writer(std::io::stderr)
        .init();
    tokio::runtime::Runtime::new()?.block_on(serve(args))
}

async fn serve(args: ServeArgs) -> Result<ExitCode> {
    let sealing = sealing_key(&args.database, args.key_file.as_deref())?;
    let clock: Arc<dyn Clock> = match &args.test_clock {
        Some(path) => Arc::new(FileClock::open(path)?),
        None => Arc::new(SystemClock::new()),
    };
    let _served = args.database.data_dir().filter(|dir| dir.is_dir()).map(lock_shared).transpose()?;
    let store = Store::open(&args.database.url()?, Arc::new(SystemRng)).await?;
    store.migrate().await?;
    let outside = args.witness.outside(&args.database, args.key_file.as_deref());
    may_start(&args, &store, &*clock, &outside).await?;
    let service = open_service(store.clone(), clock, Arc::new(SystemRng), &sealing).await?;
    match (service.deployment().test_clock, args.test_clock.is_some()) {
        (false, true) => bail!("this deployment was not made for a test clock; a real one never follows a file"),
        (true, false) => bail!("this deployment was made with --test-clock: give --test-clock FILE"),
        _ => {}
    }
    service.keep_outside(outside);
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    // Scripts wait for this line; logs go to stderr.
    println!("listening on http://{address}");
    let app = tenure_server::app(service.clone(), PortalOptions::default());
    tenure_server::serve(listener, app, service, std::future::pending()).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
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
