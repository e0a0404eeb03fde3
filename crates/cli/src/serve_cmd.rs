//! `tenure serve`: the server.

use std::{net::SocketAddr, path::PathBuf, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail};
use clap::Args;
use tenure_core::Clock;
use tenure_portal::PortalOptions;
use tenure_server::{FileClock, SystemClock, SystemRng};
use tenure_service::open_service;
use tenure_store::Store;
use tokio::net::TcpListener;

use crate::database::{DatabaseArgs, sealing_key};

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
    let store = Store::open(&args.database.url()?, Arc::new(SystemRng)).await?;
    store.migrate().await?;
    let service = open_service(store.clone(), clock, Arc::new(SystemRng), &sealing).await?;
    match (service.deployment().test_clock, args.test_clock.is_some()) {
        (false, true) => bail!("this deployment was not made for a test clock; a real one never follows a file"),
        (true, false) => bail!("this deployment was made with --test-clock: give --test-clock FILE"),
        _ => {}
    }
    let listener = TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let address = listener.local_addr()?;
    // Scripts wait for this line; logs go to stderr.
    println!("listening on http://{address}");
    let app = tenure_server::app(service.clone(), PortalOptions::default());
    tenure_server::serve(listener, app, service, std::future::pending()).await?;
    store.close().await;
    Ok(ExitCode::SUCCESS)
}
