//! `tenure migrate-data`: a deployment moves from one engine to the other.

use std::{io::IsTerminal, path::Path, process::ExitCode, sync::Arc};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenure_server::SystemRng;
use tenure_store::{
    Store, audit,
    transfer::{Transferred, prepare, transfer},
};

use crate::{audit_cmd::verify_with_progress, database::lock_alone};

/// Move a deployment between the embedded database and PostgreSQL, and verify it.
#[derive(Args)]
#[command(
    after_help = "Example:\n  tenure migrate-data --from sqlite:/var/lib/tenure/tenure.db --to postgres://tenure@db/tenure\n\nStop the servers of the source first, and leave them stopped. A run that was cut off goes on where it was when it is run\nagain. The source is only read; the keys stay the same files."
)]
pub(crate) struct MigrateDataArgs {
    /// The database that holds the deployment: `sqlite:PATH` or `postgres://…`.
    #[arg(long, value_name = "URL")]
    from: String,
    /// The database it moves to; it is empty, or was left by a run that was cut off.
    #[arg(long, value_name = "URL")]
    to: String,
}

pub(crate) fn run(args: MigrateDataArgs) -> Result<ExitCode> {
    tokio::runtime::Runtime::new()?.block_on(migrate(args))
}

async fn migrate(args: MigrateDataArgs) -> Result<ExitCode> {
    let source = args.from.strip_prefix("sqlite:").map(Path::new);
    if let Some(file) = source {
        ensure!(file.is_file(), "{} is not there", file.display());
    }
    // Nobody serves from either end meanwhile, as far as files can tell.
    let files = [source, args.to.strip_prefix("sqlite:").map(Path::new)];
    let dirs = files.into_iter().flatten().filter_map(Path::parent).filter(|dir| !dir.as_os_str().is_empty());
    let _alone = dirs.map(lock_alone).collect::<Result<Vec<_>>>()?;
    let open = async |url: &str, which: &str| {
        Store::open(url, Arc::new(SystemRng)).await.with_context(|| format!("cannot open {which}"))
    };
    let (from, to) = (open(&args.from, "the source").await?, open(&args.to, "the target").await?);
    prepare(&to).await.context("the target cannot be prepared")?;
    let moved = move_with_progress(&from, &to).await?;
    println!("moved: rows {}, tables {}, of them moved before {}", moved.rows, moved.tables, moved.before);
    compare_logs(&from, &to).await?;
    from.close().await;
    to.close().await;
    println!("the log is whole; serve with --database or --data-dir of the target from now on");
    Ok(ExitCode::SUCCESS)
}

async fn move_with_progress(from: &Store, to: &Store) -> Result<Transferred> {
    let template = "{bar:30} {human_pos} of {human_len} rows  {elapsed}, {eta} to go";
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template(template)?);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut watch = |all: u64, moved: u64| {
        bar.set_length(all);
        bar.set_position(moved);
    };
    let moved = transfer(from, to, &mut watch).await?;
    bar.finish_and_clear();
    Ok(moved)
}

/// The lanes end where they ended, and the target's log is whole by itself.
async fn compare_logs(from: &Store, to: &Store) -> Result<()> {
    let ends = async |store: &Store| -> Result<_> { Ok(audit::ends(&mut *store.read().await?).await?) };
    let (before, after) = (ends(from).await?, ends(to).await?);
    ensure!(before == after, "the log ends elsewhere than in the source: was the source written to meanwhile?");
    let report = verify_with_progress(to, &[], None).await?;
    if let Some(finding) = report.findings.first() {
        bail!("the log is not whole in the target, {}: {}; examine the source", finding.place, finding.says);
    }
    Ok(())
}
