//! The workloads behind a server's figures, each with why it counted or not, as the product listed and signed them.

use tenure_core::{InstallationId, Period, Timestamp};
use tenure_license::{
    Hash, evidence_root,
    payload::{Counted, UsageReport, WorkloadEvidence, WorkloadRow},
};
use tenure_store::{
    Conn,
    rows::{document, month as rows, obligation, report},
};
use uuid::Uuid;

use crate::{
    Actor, Error, Page, Paging, ProblemKind, Result, Service,
    month_access::{MonthRef, find, reaches},
    page,
};

/// Most evidence documents of one report: at 1,000 rows each, far more than one server protects.
const MAX_PARTS: i64 = 1_000;

/// The workloads behind a server's month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The month.
    pub period: Period,
    /// The server.
    pub installation: InstallationId,
    /// The revision of the report that named them.
    pub revision: u32,
    /// When that arrived.
    pub received: Timestamp,
    /// What the report named; none under a policy without workload detail.
    pub named: Option<NamedEvidence>,
    /// Rows that arrived.
    pub arrived: u32,
    /// All rows that the report named arrived, and their Merkle root is the one it named.
    pub is_whole: bool,
    /// How many rows count or not, by workload type, variant and reason.
    pub reasons: Vec<ReasonCount>,
    /// A page of the rows that were asked for, in the product's order.
    pub rows: Page<WorkloadRow>,
}

/// What a report named as its evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NamedEvidence {
    /// Merkle root over the rows.
    pub root: Hash,
    /// Rows in all.
    pub rows: u32,
}

/// How many rows of one workload type are there for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReasonCount {
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Whether and why.
    pub counted: Counted,
    /// Rows.
    pub rows: u32,
}

/// Which rows are wanted; what is left out wants all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EvidenceFilter {
    /// Workload type code.
    pub workload: Option<String>,
    /// Variant code.
    pub variant: Option<String>,
    /// Whether and why they count.
    pub counted: Option<Counted>,
}

impl EvidenceFilter {
    fn wants(&self, row: &WorkloadRow) -> bool {
        self.workload.as_ref().is_none_or(|workload| *workload == row.workload)
            && self.variant.as_ref().is_none_or(|variant| *variant == row.variant)
            && self.counted.is_none_or(|counted| counted == row.counted)
    }
}

/// The workloads behind a server's figures of a month.
pub async fn view_evidence(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    installation: InstallationId,
    filter: &EvidenceFilter,
    paging: &Paging,
) -> Result<Evidence> {
    let limit = paging.limit()?;
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let (provider, period) = (usage.provider, usage.period);
    let owed = obligation::find(&mut read, provider, period, installation).await?;
    let (license, ..) = owed.ok_or(ProblemKind::NotFound)?;
    if actor.org == provider {
        let held = rows::license(&mut read, provider, license).await?;
        reaches(actor, held.and_then(|held| held.site))?;
    }
    let held = report::find(&mut read, provider, period, installation).await?;
    let held = held.ok_or_else(|| ProblemKind::NotFound.because("no report of this server counts in the month"))?;
    let payload = document::payload(&mut read, installation, &held.hash).await?;
    let payload = payload.ok_or(Error::Internal("a report without its document"))?;
    let sent: UsageReport =
        serde_json::from_slice(&payload).map_err(|_| Error::Internal("a kept report cannot be read"))?;
    let all = match &sent.evidence {
        Some(named) => arrived(&mut read, installation, period, named.root).await?,
        None => Vec::new(),
    };
    let named = sent.evidence.as_ref().map(|named| NamedEvidence { root: named.root, rows: named.rows });
    let is_whole = named.is_some_and(|named| named.rows as usize == all.len() && evidence_root(&all) == named.root);
    let query = format!("evidence/{installation}/{period}/{filter:?}");
    let from = paging.after(service, actor.org, &query)?.map_or(0, |place| place.as_u128() as usize);
    let (arrived, reasons) = (all.len() as u32, reasons(&all));
    let wanted = all.into_iter().filter(|row| filter.wants(row));
    let items = wanted.enumerate().skip(from).take(limit as usize + 1).collect();
    let rest = page::cut(service, actor.org, &query, items, limit, |(at, _)| Uuid::from_u128(*at as u128 + 1));
    Ok(Evidence {
        period,
        installation,
        revision: held.revision,
        received: held.received,
        named,
        arrived,
        is_whole,
        reasons,
        rows: rest.map(|(_, row)| row),
    })
}

/// The rows of a Merkle root that arrived, in the order of their parts.
async fn arrived(
    conn: &mut Conn,
    installation: InstallationId,
    period: Period,
    root: Hash,
) -> Result<Vec<WorkloadRow>> {
    let documents = document::of_installation(conn, installation, "evidence", period, MAX_PARTS).await?;
    let mut rows = Vec::new();
    let mut parts = std::collections::BTreeSet::new();
    for document in documents {
        let part: WorkloadEvidence =
            serde_json::from_slice(&document.payload).map_err(|_| Error::Internal("a kept evidence cannot be read"))?;
        // Two documents may claim one part; then the root tells that not both can be right.
        if part.root == root && parts.insert(part.part) {
            rows.extend(part.rows);
        }
    }
    Ok(rows)
}

fn reasons(rows: &[WorkloadRow]) -> Vec<ReasonCount> {
    let mut counts: std::collections::BTreeMap<(&str, &str, u8), (Counted, u32)> = std::collections::BTreeMap::new();
    for row in rows {
        let order = match row.counted {
            Counted::Yes => 0,
            Counted::New => 1,
            Counted::Stale => 2,
            Counted::Adjusted => 3,
        };
        let key = (row.workload.as_str(), row.variant.as_str(), order);
        counts.entry(key).or_insert((row.counted, 0)).1 += 1;
    }
    let count = |((workload, variant, _), (counted, rows)): ((&str, &str, u8), (Counted, u32))| ReasonCount {
        workload: workload.to_owned(),
        variant: variant.to_owned(),
        counted,
        rows,
    };
    counts.into_iter().map(count).collect()
}
