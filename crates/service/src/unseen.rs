//! Whether a younger installation's new workloads are proven unseen by the evidence behind the reports (F1).
//!
//! A workload's hash is the same on all installations of one provider. So a workload that only moved to a fresh installation
//! shows again in its evidence, and is no new one.

use std::collections::{BTreeMap, BTreeSet};

use tenure_core::{InstallationId, OrgId, Period};
use tenure_license::{Counted, EvidenceRef, UsageReport, WorkloadEvidence, WorkloadRow, evidence_root};
use tenure_store::{
    Tx,
    rows::{
        document,
        proven_new::{self, Units},
        report,
    },
};

use crate::{Error, Result, Service, month};

/// Months of other installations looked into; a customer with more keeps its new ones counted.
const MAX_MONTHS: usize = 100;
/// Evidence documents of one month.
const MAX_PARTS: u32 = 256;

/// Writes down how many of the new workloads in an installation's report are proven unseen: their ids do not occur in the
/// evidence of anybody who had the license, or its customer and product, within the memory of newness. Asked whenever a
/// report or evidence arrives; without complete evidence on both sides nothing is proven.
pub(crate) async fn settle(
    service: &Service,
    tx: &mut Tx,
    provider: OrgId,
    installation: InstallationId,
    period: Period,
) -> Result<()> {
    let Some(held) = report::find(tx, provider, period, installation).await? else { return Ok(()) };
    if month::read_lines(&held.lines)?.iter().all(|line| line.new == 0) {
        return Ok(());
    }
    let since = period.plus(-(service.policy().new_memory_months as i32));
    let before = proven_new::holders_before(tx, provider, period, installation, since).await?;
    let last_month = |own: bool| before.iter().any(|(id, of)| *of == period.prev() && (*id == installation) == own);
    if last_month(true) || !last_month(false) {
        return Ok(());
    }
    let payload = document::payload(tx, installation, &held.hash).await?;
    let sent: Option<UsageReport> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
    let Some(named) = sent.and_then(|report| report.evidence) else { return Ok(()) };
    let Some(rows) = complete(tx, installation, period, &named).await? else { return Ok(()) };
    let others: Vec<_> = before.into_iter().filter(|(id, _)| *id != installation).collect();
    let units = match seen(tx, provider, &others).await? {
        Some(seen) => unseen(&rows, &seen),
        None => Units::new(),
    };
    Ok(proven_new::put(tx, provider, period, installation, &units).await?)
}

fn unseen(rows: &[WorkloadRow], seen: &BTreeSet<String>) -> Units {
    let mut units = Units::new();
    for row in rows.iter().filter(|row| row.counted == Counted::New && !seen.contains(&row.id)) {
        *units.entry((row.workload.clone(), row.variant.clone())).or_default() += 1;
    }
    units
}

/// The ids that others have shown; none when one of them owes its evidence, for then nobody knows.
async fn seen(tx: &mut Tx, provider: OrgId, others: &[(InstallationId, Period)]) -> Result<Option<BTreeSet<String>>> {
    if others.len() > MAX_MONTHS {
        return Ok(None);
    }
    let mut ids = BTreeSet::new();
    for (other, period) in others {
        let Some(held) = report::find(tx, provider, *period, *other).await? else { return Ok(None) };
        let payload = document::payload(tx, *other, &held.hash).await?;
        let sent: Option<UsageReport> = payload.and_then(|payload| serde_json::from_slice(&payload).ok());
        let Some(named) = sent.and_then(|report| report.evidence) else { return Ok(None) };
        let Some(rows) = complete(tx, *other, *period, &named).await? else { return Ok(None) };
        ids.extend(rows.into_iter().map(|row| row.id));
    }
    Ok(Some(ids))
}

/// The rows of a report's evidence once all of its parts are here and make the root that the report names; each id once.
async fn complete(
    tx: &mut Tx,
    installation: InstallationId,
    period: Period,
    named: &EvidenceRef,
) -> Result<Option<Vec<WorkloadRow>>> {
    let mut parts: BTreeMap<u32, Vec<WorkloadRow>> = BTreeMap::new();
    for payload in proven_new::evidence(tx, installation, period, MAX_PARTS).await? {
        let evidence: WorkloadEvidence =
            serde_json::from_slice(&payload).map_err(|_| Error::Internal("kept evidence cannot be read"))?;
        if evidence.root == named.root {
            parts.insert(evidence.part, evidence.rows);
        }
    }
    let whole = parts.len() == named.parts as usize && parts.keys().copied().eq(0..named.parts);
    let rows: Vec<WorkloadRow> = parts.into_values().flatten().collect();
    let ids: BTreeSet<(&str, &str, &str)> =
        rows.iter().map(|row| (row.id.as_str(), row.workload.as_str(), row.variant.as_str())).collect();
    let genuine = whole && rows.len() == named.rows as usize && ids.len() == rows.len();
    Ok((genuine && evidence_root(&rows) == named.root).then_some(rows))
}
