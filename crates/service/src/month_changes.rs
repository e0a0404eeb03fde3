//! What became of a month's lines since somebody saw them: the words beside a 412 (F9).
//!
//! A tag is a hash and an instant. Where lines of that hash were signed, they are compared with those of now; otherwise what
//! changed them since is read back from the audit log, the reports and the corrections.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;
use serde_json::Value;
use tenure_core::{InstallationId, Timestamp, line::Source};
use tenure_license::payload::UsageReport;
use tenure_store::{
    Conn,
    rows::{document, month as rows, submission},
};

use crate::{
    Error, Result, actor_names,
    month::{Expected, LinesTag, Month, SignedLine, read_signed, signed_of},
};

/// Most changes that are told.
const MAX_CHANGES: usize = 50;
/// Most audit entries looked at.
const MAX_ENTRIES: i64 = 200;

/// One changed line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct LineChange {
    /// In words.
    text: String,
    /// The server it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    installation: Option<InstallationId>,
    /// Workload type code.
    #[serde(skip_serializing_if = "String::is_empty")]
    workload: String,
    /// Variant code.
    #[serde(skip_serializing_if = "String::is_empty")]
    variant: String,
    /// The figure that was seen; none where there was none.
    before: Option<i64>,
    /// The figure now; none where there is none.
    after: Option<i64>,
    /// When, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    at: Option<Timestamp>,
    /// Who, where that is known.
    #[serde(skip_serializing_if = "String::is_empty")]
    by: String,
}

/// What changed, at most 50 lines; never empty.
pub(crate) async fn since(conn: &mut Conn, month: &Month, seen: &LinesTag, now: Timestamp) -> Result<Vec<LineChange>> {
    let (provider, period) = (month.head.provider.id, month.head.period);
    let mut changes = match submission::signed(conn, provider, period, &seen.hash).await? {
        Some(signed) => compared(month, read_signed(&signed)?),
        None => told(conn, month, seen, now).await?,
    };
    if changes.is_empty() {
        let text = "the lines differ from those of that tag in something else than a figure".to_owned();
        changes.push(LineChange { text, ..blank() });
    }
    changes.truncate(MAX_CHANGES);
    Ok(changes)
}

fn blank() -> LineChange {
    LineChange {
        text: String::new(),
        installation: None,
        workload: String::new(),
        variant: String::new(),
        before: None,
        after: None,
        at: None,
        by: String::new(),
    }
}

/// Signed lines against those of now.
fn compared(month: &Month, before: Vec<SignedLine>) -> Vec<LineChange> {
    let mut before: BTreeMap<_, SignedLine> = before.into_iter().map(|line| (line.key(), line)).collect();
    let mut changes = Vec::new();
    for line in &month.lines {
        let now = signed_of(line);
        let was = before.remove(&now.key());
        if was.as_ref() != Some(&now) {
            changes.push(pair(month, was.as_ref(), Some(&now)));
        }
    }
    changes.extend(before.values().map(|gone| pair(month, Some(gone), None)));
    changes
}

fn pair(month: &Month, was: Option<&SignedLine>, now: Option<&SignedLine>) -> LineChange {
    let either = now.or(was);
    let installation = either.and_then(|line| line.installation);
    let workload = either.map(|line| line.workload.clone()).unwrap_or_default();
    let variant = either.map(|line| line.variant.clone()).unwrap_or_default();
    let (before, after) = (was.map(|line| line.count), now.map(|line| line.count));
    let name = subject(month, installation, &workload, &variant);
    let text = match (was, now) {
        (Some(was), Some(now)) if was.count == now.count => {
            format!("{name}: was {}, is {}", was.source.word(), now.source.word())
        }
        _ => format!("{name}: {}", figures(before, after)),
    };
    LineChange { text, installation, workload, variant, before, after, ..blank() }
}

fn figures(before: Option<i64>, after: Option<i64>) -> String {
    match (before, after) {
        (Some(before), Some(after)) => format!("{before} before, {after} now"),
        (None, Some(after)) => format!("{after}, which were not there before"),
        (Some(before), None) => format!("{before}, which are gone"),
        (None, None) => "changed".to_owned(),
    }
}

/// What a change is about, in words.
fn subject(month: &Month, installation: Option<InstallationId>, workload: &str, variant: &str) -> String {
    let name = installation.and_then(|id| month.installations.iter().find(|one| one.id == id)).map(|one| &one.name);
    let what = if variant.is_empty() { workload.to_owned() } else { format!("{workload} ({variant})") };
    match (name, what.as_str()) {
        (Some(name), "") => name.clone(),
        (Some(name), what) => format!("{name}, {what}"),
        (None, "") => "a line".to_owned(),
        (None, what) => what.to_owned(),
    }
}

/// What is told of the time since, oldest first.
async fn told(conn: &mut Conn, month: &Month, seen: &LinesTag, now: Timestamp) -> Result<Vec<LineChange>> {
    let subject = month.head.id.to_string();
    let entries = rows::changes(conn, month.head.provider.id, &subject, seen.seen, MAX_ENTRIES).await?;
    let names = actor_names::names(conn, entries.iter().map(|entry| entry.actor.as_str())).await?;
    let mut changes: Vec<LineChange> = entries
        .iter()
        .flat_map(|entry| {
            let by = actor_names::name(&names, &entry.actor);
            of_entry(month, entry, &by)
        })
        .collect();
    for one in month.installations.iter().filter(|one| newer_report(one, seen)) {
        changes.extend(of_report(conn, month, one, seen.seen).await?);
    }
    changes.extend(month.lines.iter().filter_map(|line| {
        let (at, who) = line.by.as_ref().filter(|(at, _)| *at > seen.seen)?;
        let of = line.of_period.filter(|_| line.source == Source::Correction)?;
        let text = format!("a correction of {of} came in: {} points", line.points);
        let (workload, variant) = (line.workload.code.clone(), line.workload.variant.clone());
        let (after, at, by) = (Some(line.count), Some(*at), who.name.clone());
        Some(LineChange { text, workload, variant, after, at, by, ..blank() })
    }));
    let over = month.head.awaited_until;
    if seen.seen < over && over <= now {
        let missing = month.installations.iter().filter(|one| one.source == Source::Missing);
        changes.extend(missing.map(|one| {
            let text = format!("{}: its report is not awaited any more, and missing", one.name);
            LineChange { text, installation: Some(one.id), at: Some(over), ..blank() }
        }));
    }
    changes.sort_by_key(|change| change.at);
    Ok(changes)
}

fn newer_report(one: &Expected, seen: &LinesTag) -> bool {
    one.report.as_ref().is_some_and(|report| report.received > seen.seen)
}

/// The figures of a report against those of the one that counted when the lines were seen.
async fn of_report(conn: &mut Conn, month: &Month, one: &Expected, seen: Timestamp) -> Result<Vec<LineChange>> {
    let Some(report) = &one.report else { return Ok(Vec::new()) };
    let before = document::report_at(conn, one.id, month.head.period, seen).await?;
    let before: Option<UsageReport> = before
        .map(|payload| serde_json::from_slice(&payload))
        .transpose()
        .map_err(|_| Error::Internal("a kept report cannot be read"))?;
    let mut were: HashMap<(String, String), i64> = before
        .into_iter()
        .flat_map(|report| report.lines)
        .map(|line| ((line.workload, line.variant), i64::from(line.count)))
        .collect();
    let told = format!("revision {} of its report arrived", report.revision);
    let change = |workload: &str, variant: &str, before: Option<i64>, after: Option<i64>| LineChange {
        text: format!("{}: {}; {told}", subject(month, Some(one.id), workload, variant), figures(before, after)),
        installation: Some(one.id),
        workload: workload.to_owned(),
        variant: variant.to_owned(),
        before,
        after,
        at: Some(report.received),
        by: one.name.clone(),
    };
    let mut changes = Vec::new();
    let own = |line: &&crate::Line| line.installation.as_ref().is_some_and(|at| at.id == one.id);
    for line in month.lines.iter().filter(own) {
        let (workload, variant) = (&line.workload.code, &line.workload.variant);
        let was = were.remove(&(workload.clone(), variant.clone()));
        let is = line.reported.map(i64::from);
        if was != is {
            changes.push(change(workload, variant, was, is));
        }
    }
    changes.extend(were.into_iter().map(|((workload, variant), was)| change(&workload, &variant, Some(was), None)));
    if changes.is_empty() {
        changes.push(LineChange { before: None, after: None, ..change("", "", None, None) });
    }
    Ok(changes)
}

/// What an entry of the audit log did to lines; nothing where it changed none.
fn of_entry(month: &Month, entry: &rows::ChangeRow, by: &str) -> Vec<LineChange> {
    let body = &entry.body;
    let number = |name: &str| body[name].as_i64();
    let text_of = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let installation: Option<InstallationId> = body["installation"].as_str().and_then(|id| id.parse().ok());
    let (workload, variant) = (text_of(&body["workload"]), text_of(&body["variant"]));
    let name = subject(month, installation, &workload, &variant);
    let (before, after, did) = match entry.verb.as_str() {
        "usage.adjusted" => (number("was"), number("count"), "adjusted"),
        "usage.reset" => (number("was"), number("count"), "reset"),
        "usage.line_added" => (None, number("count"), "added by hand"),
        "usage.line_removed" => (number("count"), None, "removed"),
        "usage.answer_reset" => (None, None, "answer taken back"),
        "usage.answered" => return of_answer(entry, &name, installation, by),
        _ => return Vec::new(),
    };
    let text = match (before, after) {
        (None, None) => format!("{name}: {did} by {by}"),
        _ => format!("{name}: {}; {did} by {by}", figures(before, after)),
    };
    let (at, by) = (Some(entry.at), by.to_owned());
    vec![LineChange { text, installation, workload, variant, before, after, at, by }]
}

fn of_answer(entry: &rows::ChangeRow, name: &str, installation: Option<InstallationId>, by: &str) -> Vec<LineChange> {
    let figures = entry.body["figures"].as_array().map(Vec::as_slice).unwrap_or_default();
    let line = |workload: String, variant: String, count: i64| {
        let what = if workload.is_empty() { String::new() } else { format!(", {workload}") };
        let text = format!("{name}{what}: {count}; answered by {by}");
        let (at, after, by) = (Some(entry.at), Some(count), by.to_owned());
        LineChange { text, installation, workload, variant, before: None, after, at, by }
    };
    if figures.is_empty() {
        return vec![line(String::new(), String::new(), 0)];
    }
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    figures
        .iter()
        .map(|figure| line(text(&figure["workload"]), text(&figure["variant"]), figure["count"].as_i64().unwrap_or(0)))
        .collect()
}
