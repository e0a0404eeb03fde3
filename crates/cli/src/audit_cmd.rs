//! `tenure audit`: the log, checked.

use std::{fs, io::IsTerminal, path::PathBuf, process::ExitCode};

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tenure_license::{Envelope, Root};
use tenure_service::{AuditReport, Witness, parse_witnesses, verify_audit};
use tenure_store::Store;

use crate::database::{DatabaseArgs, WitnessArgs, open_existing};

/// Check the log of everything that was ever done.
#[derive(Args)]
pub(crate) struct AuditArgs {
    #[command(subcommand)]
    command: AuditCommand,
}

#[derive(Subcommand)]
enum AuditCommand {
    /// Check that nothing in the log was changed, dropped or cut off.
    Verify(VerifyArgs),
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tenure audit verify --data-dir ./tenure\n  tenure agent status --json > seen.json   # on a product server\n  tenure audit verify --data-dir ./tenure --checkpoint seen.json\n\nExits 0 when the log is whole, 1 when anything is wrong. Safe beside a running server."
)]
struct VerifyArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// What somebody outside remembers: the output of `tenure agent status --json`, or signed checkpoints, one a line.
    #[arg(long, value_name = "FILE")]
    checkpoint: Vec<PathBuf>,
    /// The trust root to hold signatures against; the database's own otherwise.
    #[arg(long, value_name = "FILE")]
    root: Option<PathBuf>,
    #[command(flatten)]
    witness: WitnessArgs,
    /// Print the findings as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: AuditArgs) -> Result<ExitCode> {
    let AuditCommand::Verify(args) = args.command;
    tokio::runtime::Runtime::new()?.block_on(verify(args))
}

async fn verify(args: VerifyArgs) -> Result<ExitCode> {
    let store = open_existing(&args.database).await?;
    let outside = args.witness.outside(&args.database, None);
    let mut witnesses =
        outside.witnesses().with_context(|| format!("cannot read the checkpoints in {}", outside.dir().display()))?;
    for path in &args.checkpoint {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let heard = parse_witnesses(&text).with_context(|| {
            format!("{} holds no checkpoint: give the output of `tenure agent status --json`", path.display())
        })?;
        witnesses.extend(heard);
    }
    let root = args.root.as_ref().map(read_root).transpose()?;
    let report = verify_with_progress(&store, &witnesses, root).await?;
    store.close().await;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print(&report);
    }
    Ok(if report.is_clean() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn read_root(path: &PathBuf) -> Result<Root> {
    let text = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let envelope =
        Envelope::from_json(text.trim_ascii()).with_context(|| format!("{} is no trust root", path.display()))?;
    Root::pinned(envelope).with_context(|| format!("{} is no trust root", path.display()))
}

/// Checks the whole log and shows on a terminal how far it is.
pub(crate) async fn verify_with_progress(
    store: &Store,
    witnesses: &[Witness],
    root: Option<Root>,
) -> Result<AuditReport> {
    let bar = ProgressBar::new_spinner()
        .with_style(ProgressStyle::with_template("{spinner} checking the log  {human_pos} rows  {elapsed}")?);
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut progress = |more: u64| bar.inc(more);
    let report = verify_audit(store, witnesses, root, &mut progress).await?;
    bar.finish_and_clear();
    Ok(report)
}

fn print(report: &AuditReport) {
    println!(
        "checked: entries {}, lanes {}, requests of products {}, documents {}, checkpoints {}, witnesses {}",
        report.entries, report.lanes, report.leaves, report.documents, report.checkpoints, report.witnesses
    );
    if report.not_yet_anchored > 0 {
        println!("{} entries are not yet anchored: they came after the last checkpoint", report.not_yet_anchored);
    }
    for note in &report.notes {
        println!("note: {note}");
    }
    for finding in &report.findings {
        println!("WRONG {}: {}", finding.place, finding.says);
    }
    println!("{}", if report.is_clean() { "the log is whole" } else { "the log is NOT whole" });
}
