//! Who did what to a month, oldest first: from the audit log and from what products sent.

use serde_json::Value;
use tenure_core::{OrgId, Timestamp};
use tenure_store::{
    Conn,
    rows::{document, month as rows, monthly_usage::UsageRow, report},
};
use uuid::Uuid;

use crate::{
    Actor, Page, Paging, Result, Service, actor_names,
    month_access::{MonthRef, find},
    page,
};

/// Most changes of one month that a timeline shows.
const MAX_CHANGES: i64 = 2_000;

/// Something that happened to a month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TimelineEvent {
    /// When.
    pub at: Timestamp,
    /// Who: a person or token by name, `the server`, or a server by its host name.
    pub by: String,
    /// What, as the audit log names it; `report.received` for a product's report.
    pub verb: String,
    /// In one sentence.
    pub text: String,
    /// The particulars, as they were recorded.
    pub details: Value,
}

/// What happened to a month, in pages of the order in which it happened. Who is confined to a site sees what concerns the
/// whole month, and that site's part.
pub async fn month_timeline(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    paging: &Paging,
) -> Result<Page<TimelineEvent>> {
    let limit = paging.limit()?;
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let query = format!("timeline/{}", usage.id);
    // Things happen at its end, so a place in it is a number.
    let from = paging.after(service, actor.org, &query)?.map_or(0, |place| place.as_u128() as usize);
    let mut events = changes(&mut read, actor, &usage).await?;
    if actor.site.is_none() || actor.org != usage.provider {
        events.extend(reports(&mut read, &usage).await?);
    }
    events.sort_by_key(|event| event.at);
    let items = events.into_iter().enumerate().skip(from).take(limit as usize + 1).collect();
    let rest = page::cut(service, actor.org, &query, items, limit, |(at, _)| Uuid::from_u128(*at as u128 + 1));
    Ok(rest.map(|(_, event)| event))
}

async fn changes(conn: &mut Conn, actor: &Actor, usage: &UsageRow) -> Result<Vec<TimelineEvent>> {
    let before = usage.opened.plus_micros(-1);
    let entries = rows::changes(conn, usage.provider, &usage.id.to_string(), before, MAX_CHANGES).await?;
    let names = actor_names::names(conn, entries.iter().map(|entry| entry.actor.as_str())).await?;
    let seen = entries.into_iter().filter(|entry| is_seen(actor, usage.provider, &entry.verb, &entry.body));
    Ok(seen
        .map(|entry| TimelineEvent {
            at: entry.at,
            by: actor_names::name(&names, &entry.actor),
            text: words(&entry.verb, &entry.body),
            verb: entry.verb,
            details: entry.body,
        })
        .collect())
}

/// Whether an actor sees an entry: all of it, or, confined to a site, what is not about somebody else's lines.
fn is_seen(actor: &Actor, provider: OrgId, verb: &str, body: &Value) -> bool {
    let Some(site) = actor.site.filter(|_| actor.org == provider) else { return true };
    match verb {
        "usage.part_submitted" | "usage.part_returned" => body["site"] == site.to_string(),
        "usage.opened"
        | "usage.review_started"
        | "usage.review_due"
        | "usage.submitted"
        | "usage.approved"
        | "usage.rejected"
        | "usage.closed" => true,
        _ => false,
    }
}

async fn reports(conn: &mut Conn, usage: &UsageRow) -> Result<Vec<TimelineEvent>> {
    let counted = report::of_month(conn, usage.provider, usage.period).await?;
    let late = document::late(conn, usage.provider, usage.period).await?;
    let names = report::hosts(conn, usage.provider, usage.period).await?;
    let event = |at, installation: tenure_core::InstallationId, revision: u32, what: &str| {
        let host = names.iter().find(|(id, _)| *id == installation).map(|(_, name)| name.clone());
        TimelineEvent {
            at,
            by: host.unwrap_or_else(|| installation.to_string()),
            verb: "report.received".to_owned(),
            text: format!("Sent revision {revision} of its report{what}."),
            details: serde_json::json!({ "installation": installation, "revision": revision }),
        }
    };
    let counted = counted.into_iter().map(|row| {
        let what = if row.is_final { "" } else { ", preliminary" };
        event(row.received, row.installation, row.revision, what)
    });
    let late = late
        .into_iter()
        .map(|row| event(row.received, row.installation, row.revision, ", after the month was submitted"));
    Ok(counted.chain(late).collect())
}

/// What an entry says, in one sentence.
fn words(verb: &str, body: &Value) -> String {
    let text = |name: &str| body[name].as_str().unwrap_or_default().to_owned();
    let number = |name: &str| body[name].as_i64().unwrap_or(0);
    let reason = |what: &str| match text("reason") {
        reason if reason.is_empty() => format!("{what}."),
        reason => format!("{what}: {reason}"),
    };
    match verb {
        "usage.opened" => format!("The month was opened; the provider submits before {}.", text("due")),
        "usage.review_started" => "The review was started.".to_owned(),
        "usage.review_due" => "Collecting ended; the review is due.".to_owned(),
        "usage.part_submitted" => "A site's part was submitted.".to_owned(),
        "usage.part_returned" => reason("A site's part was returned"),
        "usage.adjusted" => format!("{}: {} instead of {}.", text("workload"), number("count"), number("was")),
        "usage.reset" => format!("{}: the product's own figure again.", text("workload")),
        "usage.answered" => "A server was answered for.".to_owned(),
        "usage.answer_reset" => "An answer for a server was taken back.".to_owned(),
        "usage.line_added" => format!("Manual line: {} {}.", number("count"), text("workload")),
        "usage.lines_imported" => format!("{} manual lines imported.", number("lines")),
        "usage.line_removed" => format!("Manual line removed: {} {}.", number("count"), text("workload")),
        "usage.reviewed" => format!("{} line(s) marked as reviewed.", number("lines")),
        "usage.review_unmarked" => format!("{} line(s) no longer marked as reviewed.", number("lines")),
        "usage.auto_submit" => match body["auto_submit"].as_bool() {
            Some(true) => "It submits by itself when nothing is missing or flagged.".to_owned(),
            _ => "It no longer submits by itself.".to_owned(),
        },
        "usage.submitted" => {
            format!("Submitted, number {}: {} points, {} in all.", number("number"), text("reported"), text("total"))
        }
        "usage.consented" => "The vendor consented to the lowered figures.".to_owned(),
        "usage.approved" => format!("Approved and closed: {} points.", text("total")),
        "usage.rejected" => reason("Rejected"),
        "usage.closed" => reason("Closed by the vendor"),
        "usage.presumed_closed" => "Undecided for so long that licenses are extended as if it were closed.".to_owned(),
        "usage.corrected" => {
            format!("{} correction(s) of a late report, billed in {}.", number("lines"), text("billed_in"))
        }
        "usage.correction_added" => {
            format!("Correction by hand: {} {}, billed in {}.", number("count"), text("workload"), text("billed_in"))
        }
        "usage.correction_removed" => format!("A correction by hand was taken back: {}.", text("workload")),
        _ => format!("{verb}."),
    }
}
