//! `tenure backup`: a verified copy while the server runs.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use serde_json::json;
use tenure_core::Clock;
use tenure_server::{SystemClock, SystemRng};
use tenure_store::{Store, copy};

use crate::{
    audit_cmd::verify_with_progress,
    database::{DatabaseArgs, WitnessArgs, open_existing},
    owner::give_to_directory,
};

/// The file beside the keys that says when the last backup was made.
pub(crate) const LAST_BACKUP: &str = "last-backup.json";

/// Copy the database while the server runs, and verify the copy.
#[derive(Args)]
#[command(
    after_help = "Example:\n  tenure backup --data-dir ./tenure --to /backup/tenure-2026-11-24.db\n\nThe sealing key, the offline keys and the files beside the keys are not in it: keep them apart."
)]
pub(crate) struct BackupArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The new file; an existing one is never overwritten.
    #[arg(long, value_name = "FILE")]
    to: PathBuf,
    #[command(flatten)]
    witness: WitnessArgs,
}

pub(crate) fn run(args: BackupArgs) -> Result<ExitCode> {
    ensure!(!args.to.exists(), "{} exists; a backup never overwrites a file", args.to.display());
    let mut name = args.to.file_name().context("--to must name a file")?.to_os_string();
    name.push(".partial");
    let partial = args.to.with_file_name(name);
    let said = match args.database.data_dir() {
        Some(dir) => tokio::runtime::Runtime::new()?.block_on(sqlite(&args.database, dir, &partial)),
        None => postgres(&args.database.url()?, &partial),
    };
    let said = match said {
        Ok(said) => said,
        Err(error) => {
            // What is not whole must not be taken for a backup.
            let _ = fs::remove_file(&partial);
            return Err(error);
        }
    };
    File::open(&partial)?.sync_all()?;
    fs::rename(&partial, &args.to)?;
    let dir = args.to.parent().filter(|dir| !dir.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(dir)?.sync_all()?;
    let outside = args.witness.outside(&args.database, None);
    let note = json!({ "at": SystemClock::new().now(), "file": args.to });
    fs::create_dir_all(outside.dir())
        .and_then(|()| fs::write(outside.dir().join(LAST_BACKUP), note.to_string() + "\n"))
        .with_context(|| format!("the backup is whole, but cannot be noted in {}", outside.dir().display()))?;
    give_to_directory(&outside.dir().join(LAST_BACKUP))?;
    println!("{}: {said}", args.to.display());
    Ok(ExitCode::SUCCESS)
}

async fn sqlite(database: &DatabaseArgs, dir: &Path, partial: &Path) -> Result<String> {
    // Opened once, so that a directory without a deployment is told in words.
    open_existing(database).await?.close().await;
    let _ = fs::remove_file(partial);
    copy::copy_sqlite(&dir.join("tenure.db"), partial).await.context("the database cannot be copied")?;
    let entries = verify_copy(partial).await?;
    copy::seal_sqlite(partial).await?;
    Ok(format!("{entries} entries of the log, verified"))
}

/// Checks a copy as a whole: the file's own structure, then the log. Gives how many entries it has.
pub(crate) async fn verify_copy(path: &Path) -> Result<u64> {
    let url = format!("sqlite:{}", path.to_str().context("the file's name must be UTF-8")?);
    let store = Store::open(&url, std::sync::Arc::new(SystemRng)).await?;
    let damage = store.check_integrity().await?;
    ensure!(damage.is_empty(), "the copy is damaged: {}", damage.join("; "));
    // Checkpoints written down since are newer than the copy; they are heard when the live database is verified.
    let report = verify_with_progress(&store, &[], None).await?;
    store.close().await;
    if let Some(first) = report.findings.first() {
        bail!("the log in it is not whole: {}: {} (see `tenure audit verify`)", first.place, first.says);
    }
    Ok(report.entries)
}

/// PostgreSQL has its own tools; the plain one is driven here.
fn postgres(url: &str, partial: &Path) -> Result<String> {
    let dump = Command::new("pg_dump").args(["--format=custom", "--no-owner", "--file"]).arg(partial).arg(url).status();
    let status = match dump {
        Ok(status) => status,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => bail!(
            "pg_dump is not here: install PostgreSQL's client programs, or use your own backup of the database \
             (pg_basebackup and archived logs lose less); after putting one back run `tenure restore --database URL`"
        ),
        Err(error) => return Err(error).context("pg_dump cannot be run"),
    };
    ensure!(status.success(), "pg_dump failed; its words are above");
    let listed = Command::new("pg_restore").arg("--list").arg(partial).output().context("pg_restore cannot be run")?;
    ensure!(listed.status.success(), "pg_restore cannot read what pg_dump wrote");
    Ok("a pg_dump archive, listed by pg_restore; check its log with `tenure audit verify` where it is put back"
        .to_owned())
}
