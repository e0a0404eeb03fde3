//! `tenure doctor`: what an operator wants to know before anybody asks.

use std::{fs, path::PathBuf, process::ExitCode};

use anyhow::Result;
use clap::Args;
use serde_json::{Value, json};
use tenure_core::{Clock, Timestamp};
use tenure_server::SystemClock;
use tenure_service::{Check, Outside, Verdict, examine};

use crate::{
    backup_cmd::LAST_BACKUP,
    database::{ClockArgs, DatabaseArgs, WitnessArgs, open_existing, sealing_key},
};

const MIB: u64 = 1024 * 1024;
/// Free space below which it is a warning, or a failure.
const LOW: u64 = 2048 * MIB;
const FULL: u64 = 256 * MIB;
/// Days after which a backup is old.
const BACKUP_DAYS: i64 = 2;

/// Examine a deployment: each check ok, warn or fail, with what to do.
#[derive(Args)]
#[command(
    after_help = "Example:\n  tenure doctor --data-dir ./tenure\n\nExits 0 when nothing failed (warnings included), 1 otherwise. Safe beside a running server."
)]
pub(crate) struct DoctorArgs {
    #[command(flatten)]
    database: DatabaseArgs,
    /// The key that opens the sealed private keys.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    #[command(flatten)]
    witness: WitnessArgs,
    #[command(flatten)]
    clock: ClockArgs,
    /// Print the checks as JSON.
    #[arg(long)]
    json: bool,
}

pub(crate) fn run(args: DoctorArgs) -> Result<ExitCode> {
    let checks = tokio::runtime::Runtime::new()?.block_on(checks(&args))?;
    let failed = checks.iter().any(|check| check.verdict == Verdict::Fail);
    if args.json {
        println!("{}", json!({ "ok": !failed, "checks": checks }));
    } else {
        for check in &checks {
            let word = match check.verdict {
                Verdict::Ok => "ok",
                Verdict::Warn => "warn",
                Verdict::Fail => "FAIL",
            };
            println!("{word:<5} {:<12} {}", check.name, check.says);
            if !check.todo.is_empty() {
                println!("{:<18} -> {}", "", check.todo);
            }
        }
    }
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

async fn checks(args: &DoctorArgs) -> Result<Vec<Check>> {
    let reach = "start the database, or give the right --data-dir or --database";
    let store = match open_existing(&args.database).await {
        Ok(store) => store,
        Err(error) => return Ok(vec![Check::fail("database", format!("{error:#}"), reach)]),
    };
    let engine = match store.engine() {
        tenure_store::Engine::Sqlite => "SQLite",
        tenure_store::Engine::Postgres => "PostgreSQL",
    };
    let mut checks = vec![Check::ok("database", format!("reached, {engine}"))];
    match store.schema().await {
        Ok(schema) if schema.is_current() => {
            checks.push(Check::ok("schema", format!("{} migrations, all applied", schema.known)));
        }
        Ok(schema) if schema.newer => {
            let words = "the database was migrated by a newer program";
            checks.push(Check::fail("schema", words, "use that version or a newer one"));
        }
        Ok(schema) => {
            let words = format!("{} of {} migrations are applied", schema.applied, schema.known);
            checks.push(Check::fail("schema", words, "start `tenure serve` once: it brings the schema up to date"));
        }
        Err(error) => checks.push(Check::fail("schema", error.to_string(), "run `tenure init` first")),
    }
    if checks.iter().all(|check| check.verdict == Verdict::Ok) {
        let outside = args.witness.outside(&args.database, args.key_file.as_deref());
        let sealing = sealing_key(&args.database, args.key_file.as_deref()).ok();
        let clock = args.clock.clock()?;
        match examine(&store, &*clock, sealing.as_ref(), &outside).await {
            Ok(found) => checks.extend(found),
            Err(error) => checks.push(Check::fail("database", format!("it cannot be read: {error}"), reach)),
        }
        checks.push(backup(&outside));
    }
    checks.extend(disk(args));
    store.close().await;
    Ok(checks)
}

fn disk(args: &DoctorArgs) -> Option<Check> {
    let dir = args.database.data_dir()?;
    Some(match fs4::available_space(dir) {
        Err(error) => Check::fail("disk", error.to_string(), "make the data directory readable"),
        Ok(free) => {
            let words = format!("{} MiB free at {}", free / MIB, dir.display());
            match free {
                free if free < FULL => Check::fail("disk", words, "free space: a full disk takes nothing more"),
                free if free < LOW => Check::warn("disk", words, "free space before it is full"),
                _ => Check::ok("disk", words),
            }
        }
    })
}

fn backup(outside: &Outside) -> Check {
    let todo = "run `tenure backup --to FILE` each day";
    let note = fs::read(outside.dir().join(LAST_BACKUP)).ok();
    let note = note.and_then(|bytes| serde_json::from_slice::<Value>(&bytes).ok());
    let at = note.as_ref().and_then(|note| note["at"].as_str()).and_then(|at| at.parse::<Timestamp>().ok());
    match at {
        None => Check::warn("backup", "no backup is known here", todo),
        Some(at) if SystemClock::new().now() > at.plus_days(BACKUP_DAYS) => {
            Check::warn("backup", format!("the last one was made at {at}"), todo)
        }
        Some(at) => Check::ok("backup", format!("the last one was made at {at}")),
    }
}
