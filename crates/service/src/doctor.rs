//! What an operator wants to know of a deployment: each check ok, warn or fail, with what to do.

use std::collections::BTreeSet;

use serde::Serialize;
use tenure_core::{Clock, OrgId, Period, Points, Policy, Timestamp, cycle::UsageState, key_life::KeyState};
use tenure_license::{KeyRole, Receipt, payload::ReceiptSubject};
use tenure_store::{
    Store, audit, outbox,
    rows::{checkpoint, deployment, monthly_usage, submission},
};

use crate::{
    Outside, Result, SealingKey, check_date, keys_status,
    month::{Month, tag},
    program,
    trust::Trust,
};

/// How a check came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Worth attention before it fails.
    Warn,
    /// Something does not work, or must not be trusted.
    Fail,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was looked at, a stable word.
    pub name: &'static str,
    /// How it came out.
    pub verdict: Verdict,
    /// What was found.
    pub says: String,
    /// What to do; empty when nothing is.
    pub todo: &'static str,
}

impl Check {
    /// Everything is as it should be.
    pub fn ok(name: &'static str, says: impl Into<String>) -> Self {
        Self { name, verdict: Verdict::Ok, says: says.into(), todo: "" }
    }
    /// Worth attention.
    pub fn warn(name: &'static str, says: impl Into<String>, todo: &'static str) -> Self {
        Self { name, verdict: Verdict::Warn, says: says.into(), todo }
    }
    /// Does not work.
    pub fn fail(name: &'static str, says: impl Into<String>, todo: &'static str) -> Self {
        Self { name, verdict: Verdict::Fail, says: says.into(), todo }
    }
}

/// Minutes after which an entry should be anchored, and a message sent.
const LATE_MINUTES: i64 = 60;
/// Months read at once.
const PAGE: i64 = 200;
/// Differences listed.
const MAX_DIFFERENCES: usize = 20;

/// Examines the database of a deployment, and what lies beside it. Reads only.
///
/// # Errors
/// When the database cannot be read at all.
pub async fn examine(
    store: &Store,
    clock: &dyn Clock,
    sealing: Option<&SealingKey>,
    outside: &Outside,
) -> Result<Vec<Check>> {
    let mut checks = Vec::new();
    let mut read = store.read().await?;
    let Some(row) = deployment::find(&mut read).await? else {
        drop(read);
        let todo = "run `tenure init`, or give the right --data-dir or --database";
        return Ok(vec![Check::fail("deployment", "the database holds no deployment", todo)]);
    };
    checks.push(Check::ok("deployment", format!("{}, epoch {}", row.id, row.epoch)));
    let policy = program::policy_at(&mut read, Period::of(clock.now())).await?;
    drop(read);
    checks.push(integrity(store).await?);
    checks.push(keys(store, clock.now(), sealing).await?);
    checks.push(date(store, clock, &policy).await?);
    checks.push(anchored(store, clock.now()).await?);
    checks.push(high_water(store, outside).await?);
    checks.push(totals(store, clock.now()).await?);
    checks.push(messages(store, clock.now()).await?);
    Ok(checks)
}

async fn integrity(store: &Store) -> Result<Check> {
    let found = store.check_integrity().await?;
    Ok(match found.first() {
        None => Check::ok("integrity", "the database file is sound"),
        Some(first) => Check::fail(
            "integrity",
            format!("{} findings, the first: {first}", found.len()),
            "stop the server, keep the file, and restore the last backup with `tenure restore`",
        ),
    })
}

async fn keys(store: &Store, now: Timestamp, sealing: Option<&SealingKey>) -> Result<Check> {
    const NAME: &str = "keys";
    let Some(sealing) = sealing else {
        return Ok(Check::fail(NAME, "the sealing key is not there", "give --key-file FILE"));
    };
    let opened = Trust::load(&mut *store.read().await?, sealing).await;
    if let Err(error) = opened {
        let todo = "give the key file that belongs to this database; see `tenure keys status`";
        return Ok(Check::fail(NAME, error.to_string(), todo));
    }
    let status = match keys_status(store, now).await {
        Ok(status) => status,
        Err(error) => return Ok(Check::fail(NAME, error.to_string(), "restore the last backup")),
    };
    let in_use = |role| status.keys.iter().any(|key| key.role == role && key.state == KeyState::InUse);
    let rotate = "see `tenure keys status`, then run `tenure keys rotate`";
    if !in_use(KeyRole::License) || !in_use(KeyRole::Receipt) {
        // The last key goes on signing: it warns, it stops nothing (E6).
        return Ok(Check::warn(NAME, "no license key or no receipt key is in its time", rotate));
    }
    let due: Vec<&str> = status.tasks.iter().filter(|task| task.due).map(|task| task.what.as_str()).collect();
    if !due.is_empty() {
        return Ok(Check::warn(NAME, due.join("; "), rotate));
    }
    let next = status.tasks.iter().map(|task| task.from).min();
    let words = next.map_or("nothing is due".to_owned(), |next| format!("the next task is due from {next}"));
    Ok(Check::ok(NAME, format!("all readable; {words}")))
}

async fn date(store: &Store, clock: &dyn Clock, policy: &Policy) -> Result<Check> {
    let todo = "set the clock right; if the date is right, start once with `tenure serve --confirm-date`";
    Ok(match check_date(store, clock, policy, false).await? {
        None => Check::ok("clock", format!("{}, not before anything the database knows", clock.now())),
        Some(fault) => Check::fail("clock", fault.to_string(), todo),
    })
}

async fn anchored(store: &Store, now: Timestamp) -> Result<Check> {
    const NAME: &str = "audit";
    let mut read = store.read().await?;
    let (newest, ends) = (checkpoint::newest(&mut read).await?, audit::ends(&mut read).await?);
    let last_entry = audit::newest_at(&mut read).await?;
    let entries: u64 = ends.iter().map(|end| end.n).sum();
    let Some(newest) = newest else {
        return Ok(Check::warn(NAME, format!("entries: {entries}, no checkpoint yet"), "run the server"));
    };
    let anchored: u64 = crate::checkpoint::read(&newest)?.heads.iter().map(|head| head.n).sum();
    let words =
        format!("entries: {entries}, not yet anchored: {}, checkpoint {}", entries - anchored.min(entries), newest.k);
    let late = last_entry.is_some_and(|last| last > newest.at && now > newest.at.plus_secs(LATE_MINUTES * 60));
    Ok(if late && anchored < entries {
        Check::warn(NAME, words, "run the server: it anchors the log every ten seconds")
    } else {
        Check::ok(NAME, words)
    })
}

async fn high_water(store: &Store, outside: &Outside) -> Result<Check> {
    const NAME: &str = "high water";
    let unreadable = "make the files beside the keys readable and writable for the server";
    let known = match outside.high_water() {
        Ok(known) => known,
        Err(error) => return Ok(Check::fail(NAME, error.to_string(), unreadable)),
    };
    Ok(match outside.judge(store).await {
        Ok(Some(stale)) => Check::fail(NAME, stale.to_string(), "run `tenure restore`"),
        Ok(None) if known.is_none() => Check::warn(
            NAME,
            format!("nothing is kept in {}", outside.dir().display()),
            "run the server with --witness DIR",
        ),
        Ok(None) => Check::ok(NAME, "the database is not older than what was written beside the keys"),
        Err(error) => Check::fail(NAME, error.to_string(), unreadable),
    })
}

/// Recomputes what was signed: the lines behind each submission that stands must still have its hash, its sum and its
/// receipt; a difference is an alarm, never repaired in silence (X11).
async fn totals(store: &Store, now: Timestamp) -> Result<Check> {
    let (mut months, mut differences) = (0_u64, BTreeSet::new());
    let mut before = (Period::of(now).next(), OrgId::from_uuid(uuid::Uuid::nil()));
    loop {
        let page = monthly_usage::of_all(&mut *store.read().await?, before, PAGE).await?;
        let Some(last) = page.last() else { break };
        before = (last.period, last.provider);
        for usage in page {
            let mut read = store.read().await?;
            let Some(signed) = submission::last(&mut read, usage.provider, usage.period).await? else { continue };
            months += 1;
            let place = format!("{} of {}", usage.period, usage.provider);
            if !holds_together(&signed) {
                differences.insert(format!("{place}: what was signed contradicts itself"));
            }
            if !matches!(usage.state, UsageState::Closed | UsageState::PendingDistributorReview) {
                continue;
            }
            let policy = program::policy_at(&mut read, usage.period).await?;
            let month = Month::load_under(&mut read, usage, now, &policy).await?;
            if (month.totals.reported, month.totals.total) != (signed.reported, signed.total) {
                differences.insert(format!(
                    "{place}: signed {} in total, the lines make {}",
                    signed.total, month.totals.total
                ));
            }
        }
    }
    let listed: Vec<String> = differences.iter().take(MAX_DIFFERENCES).cloned().collect();
    Ok(if listed.is_empty() {
        Check::ok("totals", format!("{months} submitted months recomputed, no difference"))
    } else {
        Check::fail(
            "totals",
            format!("{} differences: {}", differences.len(), listed.join("; ")),
            "somebody changed rows by hand, or there is a bug: run `tenure audit verify`, and do not repair it in silence",
        )
    })
}

fn holds_together(signed: &submission::SubmissionRow) -> bool {
    let sum = tag::read(&signed.lines).map(|lines| lines.iter().map(|line| line.points).sum::<Points>());
    let receipt = serde_json::from_slice::<Receipt>(&signed.receipt);
    let receipted = receipt.is_ok_and(|receipt| {
        let same_hash = receipt.hash.as_bytes() == &signed.lines_hash;
        same_hash
            && matches!(receipt.subject, ReceiptSubject::Submission { reported, total, .. }
                if (reported, total) == (signed.reported, signed.total))
    });
    tag::hash(&signed.lines) == signed.lines_hash && sum.is_ok_and(|sum| sum == signed.reported) && receipted
}

async fn messages(store: &Store, now: Timestamp) -> Result<Check> {
    let waiting = outbox::waiting(&mut *store.read().await?).await?;
    Ok(match waiting.oldest {
        Some(oldest) if now > oldest.plus_secs(LATE_MINUTES * 60) => Check::warn(
            "outbox",
            format!("{} messages wait, the oldest since {oldest}", waiting.count),
            "look whether a sender is set up and reaches its server",
        ),
        _ => Check::ok("outbox", format!("{} messages wait", waiting.count)),
    })
}
