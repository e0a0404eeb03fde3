//! `tenure agent request`, `import` and `doctor`: what reads and writes beside the journal.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
    process::ExitCode,
};

use anyhow::{Context, Result, bail};
use serde::Serialize;
use tenure_agent::{
    control::Command,
    doctor::{self, Level},
};
use tenure_license::offline::MAX_OFFLINE_TEXT;

use super::{Place, ask, outcome_of, print::print_findings};

/// What a script reads of a request file.
#[derive(Serialize)]
struct Made {
    done: bool,
    sentence: String,
    file: PathBuf,
}

/// Puts the next request into a file.
pub(super) fn request(place: &Place, out: Option<PathBuf>, json: bool) -> Result<ExitCode> {
    let outcome = outcome_of(place, |_| Command::MakeRequestFile)?;
    let Some(made) = outcome.file else { bail!("{}", outcome.sentence) };
    let path = out.unwrap_or_else(|| PathBuf::from(&made.name));
    fs::write(&path, &made.text).with_context(|| format!("cannot write {}", path.display()))?;
    if json {
        println!("{}", serde_json::to_string(&Made { done: true, sentence: outcome.sentence, file: path })?);
    } else {
        println!("{}", path.display());
        println!("{}", outcome.sentence);
    }
    Ok(ExitCode::SUCCESS)
}

/// Takes a file that was brought.
pub(super) fn import(place: &Place, path: &Path, json: bool) -> Result<ExitCode> {
    let mut file = String::new();
    let opened = fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
    let limit = MAX_OFFLINE_TEXT as u64 + 1;
    opened.take(limit).read_to_string(&mut file).with_context(|| format!("cannot read {}", path.display()))?;
    ask(place, json, |_| Command::Import { file })
}

/// Looks at everything the agent depends on.
pub(super) fn doctor(place: &Place, json: bool) -> Result<ExitCode> {
    let config = place.config()?;
    let clock = place.clock(&config.read_root()?)?;
    let findings = doctor::examine(&config, clock);
    if json {
        println!("{}", serde_json::to_string(&findings)?);
    } else {
        print_findings(&findings);
    }
    let fails = findings.iter().any(|finding| finding.level == Level::Fail);
    Ok(if fails { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
