//! `tenure restore`: back from a backup, into a new epoch.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, ensure};
use clap::Args;
use tenure_core::Clock;
use tenure_server::SystemClock;
use tenure_service::{Restore, Restored, restore_deployment};
use tenure_store::copy;

use crate::{
    backup_cmd::verify_copy,
    copy_cmd::{self, CopyArgs},
    database::{ClockArgs, DatabaseArgs, WitnessArgs, lock_alone, open_existing},
    owner::give_to_directory,
};

/// The file beside the keys that says how far the log went.
const HIGH_WATER: &str = "high-water.json";

/// Put a backup back, or tell a database that was put back by hand: a new epoch begins.
#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenure restore --data-dir ./tenure --from /backup/tenure-2026-11-24.db\n  tenure restore --database postgres://tenure@db/tenure     # after pg_restore\n  tenure restore --data-dir ./staging --from /backup/tenure-2026-11-24.db --as-copy --key-file old.key\n\nProducts that are ahead of the backup are believed; what they still hold comes again. Stop the server first."
)]
pub(crate) struct RestoreArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The backup. Without it the database is taken as it is: somebody has put it back already.
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Why, for the log.
    #[arg(long, value_name = "TEXT", default_value = "restored from a backup")]
    why: String,
    #[command(flatten)]
    witness: WitnessArgs,
    #[command(flatten)]
    clock: ClockArgs,
    #[command(flatten)]
    copy: CopyArgs,
    /// Print what was done as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: RestoreArgs) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(restore(args))
}

async fn restore(args: RestoreArgs) -> Result<ExitCode> {
    let clock = args.clock.clock()?;
    let _alone = args.database.data_dir().map(lock_alone).transpose()?;
    if let Some(from) = &args.from {
        let dir =
            args.database.data_dir().context("--from is for --data-dir; put a PostgreSQL dump back with pg_restore")?;
        put_back(from, dir).await?;
    }
    if args.copy.as_copy {
        return copy_cmd::run(&args.database, &args.copy, &args.why, clock).await;
    }
    let outside = args.witness.outside(&args.database, args.copy.key_file.as_deref());
    let store = open_existing(&args.database).await?;
    store.migrate().await?;
    let in_words = || format!("cannot read the files in {}", outside.dir().display());
    let known = outside.high_water().with_context(in_words)?;
    let revocations = outside.revocations().with_context(in_words)?;
    let input = Restore { why: args.why, known, revocations };
    let done = restore_deployment(&store, &*clock, input).await?;
    store.close().await;
    outside.set_high_water(&done.high_water).context("the new epoch has begun, but cannot be written down")?;
    give_to_directory(&outside.dir().join(HIGH_WATER))?;
    if args.json {
        println!("{}", serde_json::to_string(&done)?);
    } else {
        print(&done);
    }
    Ok(ExitCode::SUCCESS)
}

/// Puts a verified copy of the backup in the place of the database, which is kept beside it.
async fn put_back(from: &Path, dir: &Path) -> Result<()> {
    ensure!(from.is_file(), "{} is no file", from.display());
    fs::create_dir_all(dir).with_context(|| format!("cannot make {}", dir.display()))?;
    let fresh = dir.join("tenure.db.restoring");
    let _ = fs::remove_file(&fresh);
    fs::copy(from, &fresh).with_context(|| format!("cannot copy {}", from.display()))?;
    if let Err(error) = verify_copy(&fresh).await {
        let _ = fs::remove_file(&fresh);
        return Err(error).with_context(|| format!("{} is not a whole backup; nothing was changed", from.display()));
    }
    copy::seal_sqlite(&fresh).await?;
    give_to_directory(&fresh)?;
    File::open(&fresh)?.sync_all()?;
    let stamp = SystemClock::new().now().as_secs();
    for suffix in ["", "-wal", "-shm"] {
        let old = dir.join(format!("tenure.db{suffix}"));
        if old.exists() {
            fs::rename(&old, dir.join(format!("tenure.db.before-restore-{stamp}{suffix}")))?;
        }
    }
    fs::rename(&fresh, dir.join("tenure.db"))?;
    File::open(dir)?.sync_all()?;
    Ok(())
}

fn print(done: &Restored) {
    println!("Epoch {} has begun. The database knows what happened until {}.", done.epoch, done.since);
    let missing: u64 = done.missing.values().sum();
    match (&done.last_known, missing) {
        (None, _) => println!("Nothing outside tells how far the log had gone."),
        (Some(_), 0) => println!("Nothing that was anchored outside is missing."),
        (Some(last), missing) => {
            println!("{missing} entries of the log are lost; it had reached checkpoint {}.", last.k);
        }
    }
    println!(
        "Ended: {} sessions. Voided: {} activation codes. Revoked again: {}.",
        done.sessions_ended, done.codes_voided, done.done_again
    );
    if !done.to_confirm.is_empty() {
        println!("To be looked at by a person, as it happened after the backup:");
        done.to_confirm.iter().for_each(|each| println!("  {each}"));
    }
    println!(
        "Start the server. Products send again what it has lost; passwords changed and people added since are gone."
    );
}
