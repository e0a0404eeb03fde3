//! What products send, as it lands in a month. The check-in has verified signature, sender and time, and keeps the document.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{
    Day, DocumentId, InstallationId, LicenseId, OrgId, Period, Timestamp,
    arrival::{Landing, landing},
    cycle::UsageState,
    deadline::auto_send_over_at,
    deviation::history_differs,
    revision::{ArrivedRevision, HeldRevision, RevisionDecision, decide},
};
use tenure_license::{
    Hash,
    payload::{Outcome, ReportStage, UsageReport, Watermark, WatermarkLine},
};
use tenure_store::{
    Tx,
    rows::{
        document, installation, monthly_usage,
        monthly_usage::UsageRow,
        obligation,
        report::{self, ReportRow},
        watermark::{self, WatermarkRow},
    },
};

use crate::{Error, Result, Service, late, month_open, reported};

/// A report to take.
pub(crate) struct ReportTaken<'a> {
    pub(crate) provider: OrgId,
    pub(crate) installation: InstallationId,
    pub(crate) license: LicenseId,
    pub(crate) document: DocumentId,
    pub(crate) hash: Hash,
    pub(crate) report: &'a UsageReport,
    pub(crate) received: Timestamp,
    /// The installation is no clone.
    pub(crate) counted: bool,
}

/// A watermark to take.
pub(crate) struct WatermarkTaken<'a> {
    pub(crate) provider: OrgId,
    pub(crate) installation: InstallationId,
    pub(crate) license: LicenseId,
    pub(crate) hash: Hash,
    pub(crate) watermark: &'a Watermark,
    pub(crate) received: Timestamp,
    /// The installation is no clone.
    pub(crate) counted: bool,
}

/// What became of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ReportDecided {
    pub(crate) outcome: Outcome,
    /// The revision held, where another one is.
    pub(crate) have_revision: Option<u32>,
}

impl From<Outcome> for ReportDecided {
    fn from(outcome: Outcome) -> Self {
        Self { outcome, have_revision: None }
    }
}

/// Takes a report into its month, keeps it for later, or makes it a correction, by the month's state under its lock (X5).
pub(crate) async fn take_report(service: &Service, tx: &mut Tx, taken: &ReportTaken<'_>) -> Result<ReportDecided> {
    let (provider, installation, period) = (taken.provider, taken.installation, taken.report.period);
    if !taken.counted {
        return Ok(Outcome::NotCounted.into());
    }
    installation::ensure_obligation(tx, provider, installation, taken.license, period).await?;
    let usage = month_open::ensure(service, tx, provider, period).await?;
    let lands = landing(Some(usage.state));
    let held = held(tx, provider, installation, period, lands).await?;
    let revision = taken.report.revision;
    let conflicts = document::conflicts(tx, installation, "report", period, i64::from(revision)).await?;
    let arrived = ArrivedRevision {
        revision,
        hash: *taken.hash.as_bytes(),
        replaces: taken.report.replaces.map(|hash| *hash.as_bytes()),
    };
    let have_revision = held.map(|held| held.revision);
    match decide(held, conflicts as u32, arrived) {
        RevisionDecision::Take => {}
        RevisionDecision::Repeat => return Ok(ReportDecided { outcome: Outcome::Repeated, have_revision }),
        // Held as evidence; a newer one was taken before.
        RevisionDecision::Older => return Ok(ReportDecided { outcome: Outcome::Accepted, have_revision }),
        RevisionDecision::Conflict => {
            if lands == Landing::OwnMonth {
                report::set_contested(tx, provider, period, installation, true).await?;
            }
            return Ok(ReportDecided { outcome: Outcome::Conflict, have_revision });
        }
        RevisionDecision::TooManyConflicts => return Ok(ReportDecided { outcome: Outcome::Invalid, have_revision }),
    }
    match lands {
        Landing::OwnMonth => {
            let row = report_row(tx, taken).await?;
            report::upsert(tx, provider, period, &row).await?;
            count(service, tx, &usage, taken).await?;
            Ok(Outcome::Accepted.into())
        }
        Landing::Kept => Ok(Outcome::Late.into()),
        Landing::AdjustmentLine => {
            let late = late::Late { installation, document: taken.document, report: taken.report };
            late::correct(service, tx, &usage, &late).await?;
            Ok(Outcome::Late.into())
        }
    }
}

/// The highest revision held: the one that counts, or a later one that came after the submission.
async fn held(
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    period: Period,
    lands: Landing,
) -> Result<Option<HeldRevision>> {
    let counts = report::find(tx, provider, period, installation).await?;
    let mut held = counts.map(|row| HeldRevision { revision: row.revision, hash: row.hash });
    if lands != Landing::OwnMonth {
        let late = document::late(tx, provider, period).await?;
        let newest = late.into_iter().filter(|row| row.installation == installation).max_by_key(|row| row.revision);
        held = newest
            .map(|row| HeldRevision { revision: row.revision, hash: row.hash })
            .filter(|late| held.is_none_or(|held| held.revision < late.revision))
            .or(held);
    }
    Ok(held)
}

/// What the month keeps of a report that counts.
pub(crate) async fn report_row(tx: &mut Tx, taken: &ReportTaken<'_>) -> Result<ReportRow> {
    let report = taken.report;
    Ok(ReportRow {
        installation: taken.installation,
        license: taken.license,
        revision: report.revision,
        hash: *taken.hash.as_bytes(),
        document: taken.document,
        is_final: report.stage == ReportStage::Final,
        contested: false,
        received: taken.received,
        lines: serde_json::to_string(&report.lines).map_err(|_| Error::Internal("a report is not JSON"))?,
        history_differs: differs(tx, taken.installation, report).await?,
    })
}

/// A check-in committed to a day of a month that may be reported already: the report must hold it (F7).
pub(crate) async fn recheck_history(
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    day: Day,
) -> Result<()> {
    let period = day.period();
    let Some(row) = report::find(tx, provider, period, installation).await? else { return Ok(()) };
    let Some(payload) = document::payload(tx, installation, &row.hash).await? else { return Ok(()) };
    let sent: UsageReport =
        serde_json::from_slice(&payload).map_err(|_| Error::Internal("a kept report cannot be read"))?;
    let differs = differs(tx, installation, &sent).await?;
    if differs != row.history_differs {
        report::set_history_differs(tx, provider, period, installation, differs).await?;
    }
    Ok(())
}

/// Whether a day that a check-in committed to is not in a report as it was committed (F7).
async fn differs(tx: &mut Tx, installation: InstallationId, report: &UsageReport) -> Result<bool> {
    let (first, after) = (report.period.first_day(), report.period.next().first_day());
    let committed = installation::heads(tx, installation, first, after).await?;
    let listed: Vec<_> = report.heads.iter().map(|head| (head.day, *head.head.as_bytes())).collect();
    Ok(history_differs(report.period, &committed, &listed).is_some())
}

/// What a counted report sets going: the extension it may have earned.
async fn count(service: &Service, tx: &mut Tx, usage: &UsageRow, taken: &ReportTaken<'_>) -> Result<()> {
    let preliminary = taken.report.stage == ReportStage::Preliminary;
    // A preliminary report earns nothing until the products' own time to change it is over.
    if preliminary && taken.received < auto_send_over_at(usage.period, service.policy_of(usage.period)) {
        return Ok(());
    }
    let owed = obligation::find(tx, usage.provider, usage.period, taken.installation).await?;
    let license = owed.map_or(taken.license, |(license, ..)| license);
    reported::after_report(service, tx, usage, license, None, taken.received).await?;
    Ok(())
}

/// Takes a watermark: the days of its week go to the one or two months they lie in.
pub(crate) async fn take_watermark(service: &Service, tx: &mut Tx, taken: &WatermarkTaken<'_>) -> Result<Outcome> {
    if !taken.counted {
        return Ok(Outcome::NotCounted);
    }
    let week = taken.watermark.week;
    let months: BTreeSet<Period> = week.days().map(Day::period).collect();
    for period in months {
        let row = WatermarkRow {
            installation: taken.installation,
            week,
            license: taken.license,
            hash: *taken.hash.as_bytes(),
            received: taken.received,
            lines: days_of(taken.watermark, period)?,
        };
        if !watermark::insert(tx, taken.provider, period, &row).await? {
            return Ok(Outcome::Conflict);
        }
        recheck(service, tx, taken, period).await?;
    }
    Ok(Outcome::Accepted)
}

/// A week's figures with the days of other months blanked: the stored row alone says what it holds of the month.
fn days_of(watermark: &Watermark, period: Period) -> Result<String> {
    let lines: Vec<WatermarkLine> = watermark
        .lines
        .iter()
        .map(|line| {
            let days = watermark.week.days().zip(&line.daily);
            let daily = days.map(|(day, count)| count.filter(|_| day.period() == period)).collect();
            WatermarkLine { workload: line.workload.clone(), variant: line.variant.clone(), daily }
        })
        .collect();
    serde_json::to_string(&lines).map_err(|_| Error::Internal("a watermark is not JSON"))
}

/// A missing week may have been the last thing a license's month waited for.
async fn recheck(service: &Service, tx: &mut Tx, taken: &WatermarkTaken<'_>, period: Period) -> Result<()> {
    let Some(usage) = monthly_usage::share(tx, taken.provider, period).await? else { return Ok(()) };
    if usage.state == UsageState::Closed {
        return Ok(());
    }
    let Some(owed) = obligation::find(tx, taken.provider, period, taken.installation).await? else { return Ok(()) };
    if report::find(tx, taken.provider, period, taken.installation).await?.is_some_and(|row| row.is_final) {
        reported::after_report(service, tx, &usage, owed.0, None, taken.received).await?;
    }
    Ok(())
}

/// Figures per workload type and variant, as a report counts them.
pub(crate) fn figures(report: &UsageReport) -> BTreeMap<(String, String), i64> {
    report.lines.iter().map(|line| ((line.workload.clone(), line.variant.clone()), i64::from(line.count))).collect()
}

/// The word the store keeps for an outcome; none for what is not kept.
pub(crate) fn kept_word(outcome: Outcome) -> Option<&'static str> {
    match outcome {
        Outcome::Accepted | Outcome::Repeated => Some("accepted"),
        Outcome::Late => Some("late"),
        Outcome::Conflict => Some("conflict"),
        Outcome::NotCounted => Some("not_counted"),
        Outcome::NotYet | Outcome::TooOld | Outcome::Invalid | Outcome::Absent => None,
    }
}
