//! `tenure keys`: the deployment's keys and its trust root.

use std::{
    fs,
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail, ensure};
use clap::{Args, Subcommand, ValueEnum};
use serde_json::json;
use tenure_core::{Clock, key_life::KeyState};
use tenure_license::{KeyId, KeyRole, SigningKey};
use tenure_server::{FileClock, SystemClock, SystemRng};
use tenure_service::{
    KeysStatus, Rotation, commit_rotation, keys_status, prepare_rotation, read_offline_key, trust_root,
};
use tenure_store::Store;

use crate::{
    database::{DatabaseArgs, sealing_key},
    init_cmd::{private_dir, private_file},
};

/// The deployment's keys and its trust root.
#[derive(Args)]
pub(crate) struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Subcommand)]
enum KeysCommand {
    /// Show each key, how it stands, and what is to be done next.
    Status(StatusArgs),
    /// Make new online keys and the trust root that introduces them; a running server takes them up by itself.
    Rotate(RotateArgs),
    /// Print a version of the trust root, for products to embed.
    ExportRoot(ExportArgs),
}

#[derive(Args)]
#[command(after_help = "Example:\n  tenure keys status --data-dir ./tenure")]
struct StatusArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Judge by the instant written in FILE; only for deployments made with `init --test-clock`.
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  the yearly rotation of both online keys:\n    \
                  tenure keys rotate --data-dir ./tenure --root-key /media/a/root-1.key --root-key /media/b/root-2.key\n  \
                  a license key was stolen:\n    \
                  tenure keys rotate --data-dir ./tenure --root-key /media/a/root-1.key --root-key /media/b/root-2.key \\\n      \
                  --revoke 3f9a…64 digits, from `tenure keys status`")]
struct RotateArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The key that seals private keys.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// An offline root key that signs the new trust root; repeat for as many as must sign.
    #[arg(long = "root-key", value_name = "FILE", required = true)]
    root_keys: Vec<PathBuf>,
    /// Which online keys get a successor; both, unless something else is asked for.
    #[arg(long = "role", value_name = "ROLE")]
    roles: Vec<OnlineRole>,
    /// A key whose signatures count no more, by its id; it gets a successor. Repeat for more.
    #[arg(long, value_name = "KEY")]
    revoke: Vec<KeyId>,
    /// Make a new root key and write it into this new directory; repeat for more.
    #[arg(long = "new-root-key", value_name = "DIR")]
    new_root_keys: Vec<PathBuf>,
    /// A continuity note that counts no more, by its id.
    #[arg(long, value_name = "ID")]
    revoke_continuity: Vec<String>,
    /// Where the new trust root is written too, for products to embed.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    /// Follow the instant written in FILE; only for deployments made with `init --test-clock`.
    #[arg(long, value_name = "FILE")]
    test_clock: Option<PathBuf>,
    /// Print one JSON object.
    #[arg(long)]
    json: bool,
}

#[derive(Args)]
#[command(after_help = "Example:\n  tenure keys export-root --data-dir ./tenure --out root.json")]
struct ExportArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// Which version; the newest by default.
    #[arg(long, value_name = "N")]
    version: Option<u64>,
    /// Where it is written; standard output otherwise.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Clone, Copy, ValueEnum)]
enum OnlineRole {
    License,
    Receipt,
}

pub(crate) fn run(args: KeysArgs) -> Result<ExitCode> {
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        match args.command {
            KeysCommand::Status(args) => status(args).await,
            KeysCommand::Rotate(args) => rotate(args).await,
            KeysCommand::ExportRoot(args) => export_root(args).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Opens a database that exists: a mistyped directory must not become a new one.
async fn open(database: &DatabaseArgs) -> Result<Store> {
    if let Some(dir) = database.data_dir() {
        ensure!(dir.join("tenure.db").exists(), "{} holds no deployment; run `tenure init` first", dir.display());
    }
    let store = Store::open(&database.url()?, Arc::new(SystemRng)).await?;
    store.migrate().await?;
    Ok(store)
}

/// The clock by which keys are judged: the one that the deployment follows.
async fn clock(store: &Store, test_clock: Option<&Path>) -> Result<Arc<dyn Clock>> {
    let root = trust_root(store, None).await?;
    match (root.payload().test_clock, test_clock) {
        (true, Some(path)) => Ok(Arc::new(FileClock::open(path)?)),
        (false, None) => Ok(Arc::new(SystemClock::new())),
        (true, None) => bail!("this deployment was made with --test-clock: give --test-clock FILE"),
        (false, Some(_)) => bail!("this deployment was not made for a test clock; a real one never follows a file"),
    }
}

async fn status(args: StatusArgs) -> Result<()> {
    let store = open(&args.database).await?;
    let clock = clock(&store, args.test_clock.as_deref()).await?;
    let status = keys_status(&store, clock.now()).await?;
    store.close().await;
    if args.json {
        println!("{}", status_json(&status));
    } else {
        print_status(&status);
    }
    Ok(())
}

fn status_json(status: &KeysStatus) -> serde_json::Value {
    let keys: Vec<_> = status
        .keys
        .iter()
        .map(|key| {
            json!({
                "id": key.id, "role": key.role, "state": state_word(key.state), "from": key.life.from,
                "until": key.life.until,
            })
        })
        .collect();
    let tasks: Vec<_> = status
        .tasks
        .iter()
        .map(|task| json!({"what": task.what, "from": task.from, "by": task.by, "due": task.due}))
        .collect();
    json!({
        "deployment": status.deployment, "root_version": status.root_version,
        "root_threshold": status.root_threshold, "renew_by": status.renew_by, "as_of": status.as_of,
        "keys": keys, "tasks": tasks,
    })
}

fn print_status(status: &KeysStatus) {
    println!("{}: trust root version {}", status.deployment, status.root_version);
    println!(
        "{} root keys must sign the next one; this one is old from {} on\n",
        status.root_threshold, status.renew_by
    );
    println!("{:<11} {:<8} {:<21} {:<21} key", "role", "state", "from", "until");
    for key in &status.keys {
        let (from, until) = (key.life.from.to_string(), key.life.until.to_string());
        println!("{:<11} {:<8} {from:<21} {until:<21} {}", role_word(key.role), state_word(key.state), key.id);
    }
    println!("\nWhat is to be done:");
    for task in &status.tasks {
        let when = if task.due { format!("now, by {}", task.by) } else { format!("from {} to {}", task.from, task.by) };
        println!("  {when}: {}", task.what);
    }
}

fn role_word(role: KeyRole) -> &'static str {
    match role {
        KeyRole::Root => "root",
        KeyRole::License => "license",
        KeyRole::Receipt => "receipt",
        KeyRole::Continuity => "continuity",
    }
}

fn state_word(state: KeyState) -> &'static str {
    match state {
        KeyState::NotYet => "not yet",
        KeyState::InUse => "in use",
        KeyState::RunOut => "run out",
        KeyState::Revoked => "revoked",
    }
}

async fn rotate(args: RotateArgs) -> Result<()> {
    let sealing = sealing_key(&args.database, args.key_file.as_deref())?;
    let signers = args.root_keys.iter().map(|path| offline_key(path)).collect::<Result<Vec<_>>>()?;
    let store = open(&args.database).await?;
    let clock = clock(&store, args.test_clock.as_deref()).await?;
    let otherwise = args.revoke.is_empty() && args.new_root_keys.is_empty() && args.revoke_continuity.is_empty();
    let roles: Vec<KeyRole> = match args.roles.as_slice() {
        [] if otherwise => vec![KeyRole::License, KeyRole::Receipt],
        roles => roles.iter().map(|role| role.role()).collect(),
    };
    let wanted = Rotation {
        roles,
        revoke: args.revoke,
        new_root_keys: args.new_root_keys.len(),
        revoke_continuity: args.revoke_continuity,
    };
    let plan = prepare_rotation(&store, &*clock, &SystemRng, &sealing, &signers, &wanted).await?;
    // Files first: a root key that exists nowhere could never sign.
    for (key, dir) in plan.offline_keys().iter().zip(&args.new_root_keys) {
        private_dir(dir)?;
        private_file(&dir.join(&key.file_name), &key.text)?;
    }
    if let Some(path) = &args.root {
        fs::write(path, plan.root().to_json() + "\n").with_context(|| format!("cannot write {}", path.display()))?;
    }
    let done = commit_rotation(&store, plan).await?;
    store.close().await;
    if args.json {
        let made: Vec<_> = done.made.iter().map(|(role, id)| json!({"role": role, "id": id})).collect();
        println!(
            "{}",
            json!({"root_version": done.version, "made": made, "revoked": done.revoked, "signs_licenses_anew": done.resigns})
        );
        return Ok(());
    }
    println!("Trust root version {} is in force; running servers take it up within seconds.", done.version);
    for (role, id) in &done.made {
        println!("  new {:<8} key {id}", role_word(*role));
    }
    for id in &done.revoked {
        println!("  revoked key      {id}");
    }
    if done.resigns {
        println!("Every license is signed anew; each product takes its own at its next check-in.");
    }
    println!(
        "Products find the new trust root by themselves; give it to those that are built from now on: tenure keys export-root"
    );
    Ok(())
}

fn offline_key(path: &Path) -> Result<SigningKey> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read the root key {}", path.display()))?;
    read_offline_key(&zeroize::Zeroizing::new(text)).with_context(|| format!("{} is no root key", path.display()))
}

impl OnlineRole {
    fn role(self) -> KeyRole {
        match self {
            Self::License => KeyRole::License,
            Self::Receipt => KeyRole::Receipt,
        }
    }
}

async fn export_root(args: ExportArgs) -> Result<()> {
    let store = open(&args.database).await?;
    let root = trust_root(&store, args.version).await?;
    store.close().await;
    let text = root.envelope().to_json() + "\n";
    match &args.out {
        Some(path) => fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))?,
        None => print!("{text}"),
    }
    Ok(())
}
