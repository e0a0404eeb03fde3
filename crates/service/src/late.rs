//! Later data of a month that is submitted or closed ("Adjustments, revisions, corrections"; X4, X5).

use std::collections::BTreeMap;

use serde_json::json;
use tenure_core::{
    DocumentId, InstallationId, LicenseId, LineId, OrgId, Period, Weight, correction::billed_in, line::Source,
};
use tenure_license::payload::{ReportLine, UsageReport};
use tenure_store::{
    Tx,
    rows::{
        correction::{self, CorrectionRow},
        document::{self, LateRow},
        license,
        monthly_usage::{self, UsageRow},
        obligation, product, report, submission,
    },
};

use crate::{
    Error, Result, Service, change,
    month::{SignedLine, read_lines, read_signed},
    month_ingest::{ReportTaken, figures, report_row},
    reported,
};

/// A report that came after its month was closed.
pub(crate) struct Late<'a> {
    pub(crate) installation: InstallationId,
    pub(crate) document: DocumentId,
    pub(crate) report: &'a UsageReport,
}

/// Makes adjustment lines of a later month out of a report of a closed one; how many.
pub(crate) async fn correct(service: &Service, tx: &mut Tx, closed: &UsageRow, late: &Late<'_>) -> Result<usize> {
    let (provider, period, now) = (closed.provider, closed.period, service.now());
    let owed = obligation::find(tx, provider, period, late.installation).await?;
    let (license, product, company) = owed.ok_or(Error::Internal("late data of nobody expected"))?;
    let weights = product::weights(tx, product, period).await?;
    let billed = target(tx, provider, period).await?;
    let mut lines = 0;
    for ((workload, variant), delta) in deltas(tx, closed, license, late).await? {
        let weight = weights.get(&(workload.clone(), variant.clone())).copied();
        let row = CorrectionRow {
            id: LineId::generate(now, service.rng()),
            period: billed,
            of_period: period,
            installation: late.installation,
            license,
            product,
            company,
            workload,
            variant,
            delta,
            // A code the catalog did not know then costs nothing: there is no weight to charge it by.
            weight: weight.unwrap_or_else(|| Weight::from_milli(0).expect("zero is a weight")),
            document: late.document,
            at: now,
        };
        correction::insert(tx, provider, &row).await?;
        lines += 1;
    }
    if lines > 0 {
        let body = json!({
            "of": period, "billed_in": billed, "installation": late.installation, "document": late.document,
            "lines": lines,
        });
        change::record(tx, "server", provider, "usage.corrected", closed.id.to_string(), now, body);
    }
    reported::after_report(service, tx, closed, license, Some(late.installation), now).await?;
    Ok(lines)
}

/// What the report says more or less than the one that counted when the month was signed, and was corrected since. What a
/// person lowered then, and new workloads that were charged, were decided with it and stay.
async fn deltas(
    tx: &mut Tx,
    closed: &UsageRow,
    license: LicenseId,
    late: &Late<'_>,
) -> Result<Vec<((String, String), i64)>> {
    let (provider, period) = (closed.provider, closed.period);
    let signed = submission::last(tx, provider, period).await?;
    let signed = signed.map(|row| read_signed(&row.lines)).transpose()?.unwrap_or_default();
    let shadow = license::find(tx, provider, license).await?.and_then(|row| row.shadow);
    let by_hand = signed.iter().any(|line| line.source == Source::Manual && line.license == Some(license));
    if by_hand || shadow == Some(period) {
        // The manual figure counts, whatever is collected beside it.
        return Ok(Vec::new());
    }
    let counted = report::find(tx, provider, period, late.installation).await?;
    let counted = counted.map(|row| read_lines(&row.lines)).transpose()?.unwrap_or_default();
    let mut held: BTreeMap<(String, String), i64> = BTreeMap::new();
    let of_installation = |line: &&SignedLine| line.installation == Some(late.installation);
    for line in signed.iter().filter(of_installation) {
        let of_line = |sent: &&ReportLine| (&sent.workload, &sent.variant) == (&line.workload, &line.variant);
        let sent = counted.iter().find(of_line).filter(|_| line.source == Source::Automatic);
        let count = sent.map_or(line.count, |sent| i64::from(sent.count));
        *held.entry((line.workload.clone(), line.variant.clone())).or_default() += count;
    }
    for row in correction::of_installation(tx, provider, period, late.installation).await? {
        *held.entry((row.workload, row.variant)).or_default() += row.delta;
    }
    let mut deltas: BTreeMap<(String, String), i64> = figures(late.report);
    for (key, count) in held {
        *deltas.entry(key).or_default() -= count;
    }
    // What was carried is points only, of no workload type.
    Ok(deltas.into_iter().filter(|((workload, _), delta)| *delta != 0 && !workload.is_empty()).collect())
}

/// The month a correction is billed in, locked so that it is not submitted without it.
pub(crate) async fn target(tx: &mut Tx, provider: OrgId, of: Period) -> Result<Period> {
    // Between the list and the lock another transaction may submit the month found; then the next one is it.
    for _ in 0..3 {
        let months = monthly_usage::of_provider(tx, provider, of.plus(130), 130).await?;
        let settled = |period| months.iter().any(|row| row.period == period && row.state.is_submitted());
        let period = billed_in(of, settled);
        match monthly_usage::lock(tx, provider, period).await? {
            Some(row) if row.state.is_submitted() => {}
            _ => return Ok(period),
        }
    }
    Err(tenure_store::StoreError::Contended.into())
}

/// Takes in what came while the distributor decided, once the month is open again; how many reports.
pub(crate) async fn take_in(service: &Service, tx: &mut Tx, usage: &UsageRow) -> Result<usize> {
    let mut taken = 0;
    for (row, sent) in pending(tx, usage).await? {
        let owed = obligation::find(tx, usage.provider, usage.period, row.installation).await?;
        let license = owed.map_or(sent.license, |(license, ..)| license);
        let report = ReportTaken {
            provider: usage.provider,
            installation: row.installation,
            license,
            document: row.id,
            hash: tenure_license::Hash::from_bytes(row.hash),
            report: &sent,
            received: row.received,
            counted: true,
        };
        let held = report_row(tx, &report).await?;
        if report::upsert(tx, usage.provider, usage.period, &held).await? {
            taken += 1;
            reported::after_report(service, tx, usage, license, None, service.now()).await?;
        }
    }
    Ok(taken)
}

/// Makes adjustment lines of what came while the distributor decided, once the month is closed; how many lines.
pub(crate) async fn correct_kept(service: &Service, tx: &mut Tx, closed: &UsageRow) -> Result<usize> {
    let mut lines = 0;
    for (row, sent) in pending(tx, closed).await? {
        let late = Late { installation: row.installation, document: row.id, report: &sent };
        lines += correct(service, tx, closed, &late).await?;
    }
    Ok(lines)
}

/// Late reports newer than what counts, by installation and revision.
async fn pending(tx: &mut Tx, usage: &UsageRow) -> Result<Vec<(LateRow, UsageReport)>> {
    let late = document::late(tx, usage.provider, usage.period).await?;
    let mut pending = Vec::new();
    for row in late {
        let counts = report::find(tx, usage.provider, usage.period, row.installation).await?;
        if counts.is_none_or(|counts| counts.revision < row.revision) {
            let sent =
                serde_json::from_slice(&row.payload).map_err(|_| Error::Internal("a kept report cannot be read"))?;
            pending.push((row, sent));
        }
    }
    Ok(pending)
}
