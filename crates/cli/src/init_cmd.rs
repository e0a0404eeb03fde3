//! `tenure init`: a deployment from nothing.

use std::{
    fs,
    io::Write,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result};
use clap::Args;
use tenure_server::{FileClock, SystemClock, SystemRng};
use tenure_service::{Catalog, Init, SealingKey, commit_init, prepare_init};
use tenure_store::Store;

use crate::database::DatabaseArgs;

/// Make a deployment: vendor, policy, catalog, first administrator, keys.
#[derive(Args)]
#[command(
    after_help = "Example:\n  tenure init --vendor 'Example Software' --email admin@vendor.example --data-dir ./tenure"
)]
pub(crate) struct InitArgs {
    /// Name of the vendor whose products are rented.
    #[arg(long)]
    vendor: String,
    /// E-mail address of the first administrator; the password is printed once.
    #[arg(long)]
    email: String,
    /// Products, workload types and weights as TOML; a sample catalog otherwise.
    #[arg(long, value_name = "FILE")]
    catalog: Option<PathBuf>,
    #[command(flatten)]
    database: DatabaseArgs,
    /// License update server as products reach it; repeat for more.
    #[arg(long = "server", value_name = "URL", default_value = "http://127.0.0.1:8480")]
    servers: Vec<String>,
    /// Where the key that seals private keys is written; default: beside the data directory.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Where the offline root keys are written; default: beside the data directory. Move them to safe places.
    #[arg(long, value_name = "DIR")]
    root_keys: Option<PathBuf>,
    /// Where the trust root that products embed is written; default: root.json beside the offline keys.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Make a deployment for tests: it follows the instant written in FILE, and says so in its signed trust root.
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
}

pub(crate) fn run(args: InitArgs) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(init(args))
}

async fn init(args: InitArgs) -> Result<ExitCode> {
    let catalog = match &args.catalog {
        Some(path) => {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            Catalog::parse(&text).with_context(|| format!("{} is not a catalog", path.display()))?
        }
        None => Catalog::sample(),
    };
    let clock: Arc<dyn tenure_core::Clock> = match &args.test_clock {
        Some(path) => Arc::new(FileClock::open(path)?),
        None => Arc::new(SystemClock::new()),
    };
    if let Some(dir) = args.database.data_dir() {
        private_dir(dir)?;
    }
    let store = Store::open(&args.database.url()?, Arc::new(SystemRng)).await?;
    store.migrate().await?;

    let sealing = SealingKey::generate(&SystemRng);
    let input = Init {
        vendor: args.vendor,
        email: args.email,
        servers: args.servers,
        catalog,
        test_clock: args.test_clock.is_some(),
    };
    let plan = prepare_init(&store, &*clock, &SystemRng, &sealing, input).await?;

    // Files first: a deployment whose offline keys exist nowhere could never rotate a key.
    let key_file = args.key_file.unwrap_or_else(|| args.database.beside(".key"));
    private_file(&key_file, &sealing.to_text())?;
    let keys_dir = args.root_keys.unwrap_or_else(|| args.database.beside("-offline-keys"));
    private_dir(&keys_dir)?;
    for key in plan.offline_keys() {
        private_file(&keys_dir.join(&key.file_name), &key.text)?;
    }
    let root_file = args.root.unwrap_or_else(|| keys_dir.join("root.json"));
    fs::write(&root_file, plan.root().to_json() + "\n")
        .with_context(|| format!("cannot write {}", root_file.display()))?;

    let done = commit_init(&store, &*clock, Arc::new(SystemRng), plan).await?;
    store.close().await;
    println!("Deployment {} is ready.", done.deployment);
    println!("  administrator  {}", done.email);
    println!("  password       {}   (shown once)", done.password.as_str());
    println!("  sealing key    {}   (serve needs it; back it up apart from the data)", key_file.display());
    println!("  offline keys   {}   (move each to a safe place of its own)", keys_dir.display());
    println!("  trust root     {}   (products embed it)", root_file.display());
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn private_dir(path: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("cannot make the directory {}", path.display()))
}

/// Writes a secret durably; refuses to overwrite one that exists.
pub(crate) fn private_file(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(|| format!("cannot write {} (an existing file is never overwritten)", path.display()))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    Ok(())
}
