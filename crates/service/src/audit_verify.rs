//! Checking the log against everything it covers, and against witnesses from outside (protocol, 3.6).
//!
//! Lanes dense and linked, bodies, Merkle roots; documents against the leaves that were made of them; checkpoints linked,
//! signed, and consistent with the lanes. It reads only, needs no private key, and works beside a running server: what is
//! committed meanwhile is left to the next check.

use std::collections::{HashMap, HashSet};

use serde::Serialize;
use tenure_core::{DeploymentId, InstallationId, Period, Timestamp};
use tenure_license::{
    AuditCheckpoint, Envelope, Hash, Payload, Root, UsageReport, VerifyError, Watermark, WorkloadEvidence,
};
use tenure_store::{
    Store, StoreError, audit,
    rows::{
        checkpoint::{self, CheckpointRow},
        deployment, document,
        epoch::{self, EpochRow},
        receipted,
    },
};

use crate::{Error, ProblemKind, Result, checkpoint as anchor, program, trust};

/// Rows read at once.
const PAGE: u32 = 500;
/// Requests held in memory at once; more are checked in several passes over the log.
const PASS: u64 = 1_000_000;
/// Findings listed; a broken log would otherwise list each entry.
const MAX_FINDINGS: usize = 200;

/// A checkpoint that somebody else remembers: a product, or the file beside the keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Witness {
    /// The checkpoint's number.
    pub k: u64,
    /// Its hash.
    pub hash: Hash,
    /// The epoch in which it was seen.
    pub epoch: u64,
    /// The signed checkpoint itself, where the witness has it.
    pub envelope: Option<Envelope>,
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct AuditReport {
    /// Lanes with entries.
    pub lanes: u64,
    /// Entries of all lanes.
    pub entries: u64,
    /// Entries after the newest checkpoint: not yet anchored.
    pub not_yet_anchored: u64,
    /// Entries whose personal data was erased: linked, no longer readable.
    pub erased: u64,
    /// Leaves: requests of products.
    pub leaves: u64,
    /// Ingest entries whose leaves are past retention: their count and root stand.
    pub leaves_dropped: u64,
    /// Checkpoints.
    pub checkpoints: u64,
    /// The number of the newest.
    pub newest_checkpoint: Option<u64>,
    /// Checkpoints that are committed and not signed yet.
    pub unsigned_checkpoints: u64,
    /// Requests with documents whose leaves were made again.
    pub receipted: u64,
    /// Of those, requests whose leaves are past retention.
    pub past_retention: u64,
    /// Documents held against their hashes.
    pub documents: u64,
    /// Witnesses from outside that were heard.
    pub witnesses: u64,
    /// What is worth knowing and no fault.
    pub notes: Vec<String>,
    /// What is wrong, the first 200.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// Where.
    pub place: String,
    /// What.
    pub says: String,
}

impl AuditReport {
    /// Whether nothing is wrong.
    pub fn is_clean(&self) -> bool {
        self.findings.is_empty()
    }

    fn find(&mut self, place: String, says: impl Into<String>) {
        if self.findings.len() < MAX_FINDINGS {
            self.findings.push(Finding { place, says: says.into() });
        }
    }
}

/// Told now and then how many rows were read.
pub(crate) type Progress<'a> = &'a mut (dyn FnMut(u64) + Send);

/// Checks the whole log. `root` pins the trust root that checkpoints are held against; without it the database's own
/// chain of roots is taken, which whoever owns the database could have replaced.
///
/// # Errors
/// When the database cannot be read or holds no deployment. What is wrong with the log is in the report.
pub async fn verify_audit(
    store: &Store,
    witnesses: &[Witness],
    root: Option<Root>,
    progress: Progress<'_>,
) -> Result<AuditReport> {
    let mut read = store.read().await?;
    let deployment = deployment::find(&mut read).await?.ok_or(ProblemKind::NotFound)?;
    let (own, _) = trust::load_root(&mut read).await.map_err(Error::from)?;
    let epochs = epoch::all(&mut read).await?;
    let newest = checkpoint::newest(&mut read).await?.map_or(0, |newest| newest.k);
    let latest = audit::newest_at(&mut read).await?.unwrap_or(Timestamp::EPOCH);
    let policy = program::policy_at(&mut read, Period::of(latest)).await?;
    let kept_from = latest.plus_months(-(policy.keep_daily_months as i32));
    drop(read);
    let mut report = AuditReport::default();
    let root = match root {
        Some(root) if root.payload().aud != deployment.id => {
            report
                .find("trust root".to_owned(), "the database belongs to another deployment than the trust root given");
            own
        }
        Some(root) if root.version() >= own.version() => root,
        _ => own,
    };
    let mut anchors = Anchors { deployment: deployment.id, root, epochs, last: None, lanes: HashMap::new(), kept_from };
    anchors.check(store, newest, &mut report).await?;
    check_lanes_and_documents(store, &anchors, &mut report, progress).await?;
    for witness in witnesses {
        anchors.hear(store, witness, &mut report).await?;
    }
    Ok(report)
}

/// The checkpoints, one after the other.
struct Anchors {
    deployment: DeploymentId,
    root: Root,
    epochs: Vec<EpochRow>,
    last: Option<CheckpointRow>,
    /// Entries anchored, by lane.
    lanes: HashMap<u32, u64>,
    /// What arrived before may be past retention.
    kept_from: Timestamp,
}

impl Anchors {
    async fn check(&mut self, store: &Store, through: u64, report: &mut AuditReport) -> Result<()> {
        let mut foreign = 0_u64;
        loop {
            let after = self.last.as_ref().map_or(0, |last| last.k);
            if after >= through {
                break;
            }
            let mut read = store.read().await?;
            let page = checkpoint::after(&mut read, after, PAGE).await?;
            let payloads: Vec<Option<AuditCheckpoint>> = page.iter().map(|row| anchor::read(row).ok()).collect();
            let heads = payloads.iter().flatten().flat_map(anchor::heads_of);
            let places: Vec<(u32, u64)> = heads.map(|head| (head.lane, head.n)).collect();
            let found = audit::ends_at(&mut read, &places).await?;
            drop(read);
            if page.is_empty() {
                break;
            }
            let entries: HashMap<(u32, u64), audit::Hash> =
                found.into_iter().map(|end| ((end.lane, end.n), end.head)).collect();
            for (row, payload) in page.into_iter().zip(payloads) {
                foreign += u64::from(self.one(&row, payload.as_ref(), &entries, report));
                report.checkpoints += 1;
                self.last = Some(row);
            }
        }
        report.newest_checkpoint = self.last.as_ref().map(|last| last.k);
        if foreign > 0 {
            report.notes.push(format!(
                "{foreign} checkpoints are signed by the deployment this one is a copy of; those signatures are not checked"
            ));
        }
        Ok(())
    }

    /// Checks one against the one before and the lanes; says whether another deployment signed it.
    fn one(
        &mut self,
        row: &CheckpointRow,
        payload: Option<&AuditCheckpoint>,
        entries: &HashMap<(u32, u64), audit::Hash>,
        report: &mut AuditReport,
    ) -> bool {
        let place = || format!("checkpoint {}", row.k);
        let before = self.last.as_ref();
        if row.k != before.map_or(1, |before| before.k + 1) {
            report.find(place(), "checkpoints before it are missing");
        }
        let Some(payload) = payload else {
            report.find(place(), "it cannot be read");
            return false;
        };
        if Hash::of_payload(AuditCheckpoint::TYPE, &row.payload).as_bytes() != &row.hash || payload.k != row.k {
            report.find(place(), "it is not what its hash says");
        }
        if payload.prev.map(|prev| *prev.as_bytes()) != before.map(|before| before.hash) {
            report.find(place(), "it does not link to the checkpoint before");
        }
        if before.is_some_and(|before| before.epoch > row.epoch) || payload.epoch != row.epoch {
            report.find(place(), "its epoch is lower than that of the checkpoint before, or not what was signed");
        }
        for head in anchor::heads_of(payload) {
            match entries.get(&(head.lane, head.n)) {
                Some(hash) if *hash == head.head => {}
                Some(_) => report.find(place(), format!("entry {} of lane {} is another by now", head.n, head.lane)),
                None => report.find(place(), format!("entry {} of lane {} is gone", head.n, head.lane)),
            }
            let anchored = self.lanes.entry(head.lane).or_default();
            if head.n < *anchored {
                report.find(place(), format!("lane {} is shorter than at the checkpoint before", head.lane));
            }
            *anchored = head.n.max(*anchored);
        }
        let copied = |epoch: &EpochRow| epoch.deployment == self.deployment && epoch.epoch > row.epoch;
        if payload.aud != self.deployment && self.epochs.iter().any(copied) {
            return true;
        }
        match anchor::envelope(row) {
            None if row.signatures.is_none() => report.unsigned_checkpoints += 1,
            None => report.find(place(), "its signatures cannot be read"),
            Some(envelope) => {
                if let Err(error) = self.verify(&envelope) {
                    report.find(place(), error.to_string());
                }
            }
        }
        false
    }

    fn verify(&self, envelope: &Envelope) -> Result<(), VerifyError> {
        self.root.verify_held_receipt_role::<AuditCheckpoint>(envelope).map(|_| ())
    }

    /// What somebody else remembers must be what the database holds.
    async fn hear(&self, store: &Store, witness: &Witness, report: &mut AuditReport) -> Result<()> {
        report.witnesses += 1;
        let place = format!("checkpoint {}", witness.k);
        if let Some(envelope) = &witness.envelope
            && let Err(error) = self.verify(envelope)
        {
            // Not ours: it proves nothing either way.
            report.notes.push(format!("{place} from outside is not accepted: {error}"));
            return Ok(());
        }
        let held = checkpoint::find(&mut *store.read().await?, witness.k).await?;
        if held.as_ref().is_some_and(|held| held.hash == *witness.hash.as_bytes()) {
            return Ok(());
        }
        // A restore begins an epoch, and what was anchored after the backup is lost with it; not what the backup held.
        let here = checkpoint::newest_through(&mut *store.read().await?, witness.epoch).await?;
        let after = here.is_none_or(|here| here < witness.k);
        let restored = self.epochs.iter().find(|epoch| after && epoch.epoch > witness.epoch);
        match (restored, held) {
            (Some(epoch), _) => report.notes.push(format!(
                "{place} of epoch {} was lost when epoch {} began: {}",
                witness.epoch, epoch.epoch, epoch.why
            )),
            (None, Some(_)) => {
                report.find(place, "outside it is remembered with another hash: the log was rewritten");
            }
            (None, None) => report.find(place, "outside it is remembered and here it is gone: the log was cut off"),
        }
        Ok(())
    }
}

/// One pass's share of the documents, so that memory has a bound.
struct Share {
    pass: u64,
    passes: u64,
}

impl Share {
    fn holds(&self, hash: &[u8; 32]) -> bool {
        let [a, b, c, d, ..] = *hash;
        u64::from(u32::from_be_bytes([a, b, c, d])) % self.passes == self.pass
    }
}

/// What a walk over the lanes is watched for: leaves that must be there.
struct Leaves<'a> {
    expected: HashMap<audit::Hash, (InstallationId, u64, Timestamp)>,
    dropped_until: Option<Timestamp>,
    /// Leaves of entries from here on are not past retention.
    kept_from: Timestamp,
    /// When the entries were made whose leaves are gone before their time.
    gone: Vec<Timestamp>,
    progress: Progress<'a>,
}

impl audit::Watch for Leaves<'_> {
    fn entries(&mut self, more: u64) {
        (self.progress)(more);
    }
    fn leaves(&mut self, at: Timestamp, leaves: Option<&[audit::Hash]>) {
        match leaves {
            Some(leaves) => leaves.iter().for_each(|leaf| {
                self.expected.remove(leaf);
            }),
            None if at < self.kept_from => self.dropped_until = self.dropped_until.max(Some(at)),
            None => self.gone.push(at),
        }
    }
}

async fn check_lanes_and_documents(
    store: &Store,
    anchors: &Anchors,
    report: &mut AuditReport,
    progress: Progress<'_>,
) -> Result<()> {
    let count = receipted::count(&mut *store.read().await?).await?;
    let passes = count / PASS + 1;
    for pass in 0..passes {
        let share = Share { pass, passes };
        let (expected, mut covered, through) = leaves_of(store, &share).await?;
        report.receipted += expected.len() as u64;
        let kept_from = anchors.kept_from;
        let mut watch = Leaves { expected, dropped_until: None, kept_from, gone: Vec::new(), progress: &mut *progress };
        let lanes = audit::verify_watched(store, &mut watch).await?;
        let Leaves { expected, dropped_until, gone, .. } = watch;
        if pass == 0 {
            note_lanes(&lanes, anchors, report);
            for at in gone {
                report.find(format!("an entry of {at}"), "its leaves are gone, and they are not past retention");
            }
        }
        for (installation, seq, received) in expected.into_values() {
            if dropped_until.is_some_and(|until| received <= until) {
                report.past_retention += 1;
            } else {
                let place = format!("request {seq} of {installation}");
                report.find(place, "no entry of the log covers it: it was changed, or the log was");
            }
        }
        check_documents(store, &share, &mut covered, (through, anchors.kept_from), report, progress).await?;
    }
    Ok(())
}

fn note_lanes(lanes: &audit::Report, anchors: &Anchors, report: &mut AuditReport) {
    for lane in &lanes.lanes {
        report.lanes += u64::from(lane.entries > 0);
        report.entries += lane.entries;
        report.erased += lane.erased;
        report.leaves += lane.leaves;
        report.leaves_dropped += lane.leaves_dropped;
        let anchored = anchors.lanes.get(&lane.lane).copied().unwrap_or(0);
        report.not_yet_anchored += lane.entries.saturating_sub(anchored);
    }
    for problem in lanes.problems() {
        report.find(format!("entry {} of lane {}", problem.n, problem.lane), problem.kind.to_string());
    }
    if report.leaves_dropped > 0 {
        report.notes.push(format!(
            "the leaves of {} entries are past retention: their count and root stand, what they covered is not checked",
            report.leaves_dropped
        ));
    }
}

type Covered = HashMap<(InstallationId, [u8; 32]), Timestamp>;

/// The leaves that must be in the log, the documents they cover, and the last request read.
async fn leaves_of(
    store: &Store,
    share: &Share,
) -> Result<(HashMap<audit::Hash, (InstallationId, u64, Timestamp)>, Covered, i64)> {
    let (mut expected, mut covered, mut after) = (HashMap::new(), Covered::new(), 0);
    loop {
        let page = receipted::after(&mut *store.read().await?, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.n;
        for row in &page {
            let leaf = audit::leaf(row.installation, row.seq, &row.request, &row.answer, &row.documents);
            if share.holds(&leaf) {
                expected.insert(leaf, (row.installation, row.seq, row.received));
            }
            let documents = row.documents.iter().filter(|hash| share.holds(hash));
            covered.extend(documents.map(|hash| ((row.installation, *hash), row.received)));
        }
    }
    Ok((expected, covered, after))
}

/// Every document is what its hash says and is covered by a leaf; every covered document is there.
async fn check_documents(
    store: &Store,
    share: &Share,
    covered: &mut Covered,
    (through, kept_from): (i64, Timestamp),
    report: &mut AuditReport,
    progress: Progress<'_>,
) -> Result<()> {
    let (mut uncovered, mut there) = (Vec::new(), HashSet::new());
    let mut after = (InstallationId::from_uuid(uuid::Uuid::nil()), [0; 32]);
    loop {
        let page = document::after(&mut *store.read().await?, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = (last.installation, last.hash);
        progress(page.len() as u64);
        for row in page.iter().filter(|row| share.holds(&row.hash)) {
            report.documents += 1;
            let payload_type = match row.kind.as_str() {
                "report" => UsageReport::TYPE,
                "watermark" => Watermark::TYPE,
                _ => WorkloadEvidence::TYPE,
            };
            if Hash::of_payload(payload_type, &row.payload).as_bytes() != &row.hash {
                report.find(name(row.installation, &row.hash), "its bytes are not what was receipted");
            }
            let key = (row.installation, row.hash);
            there.insert(key);
            match covered.contains_key(&key) {
                true => {}
                false if row.received < kept_from => report.past_retention += 1,
                false => uncovered.push(key),
            }
        }
    }
    late(store, through, &mut uncovered).await?;
    for (installation, hash) in uncovered {
        report.find(name(installation, &hash), "no request that the log covers brought it");
    }
    // What is past retention may be gone; anything younger may not.
    for ((installation, hash), received) in covered.drain().filter(|(key, _)| !there.contains(key)) {
        if received >= kept_from {
            report.find(name(installation, &hash), "it was receipted and is gone");
        } else {
            report.past_retention += 1;
        }
    }
    Ok(())
}

/// Documents that came while the check was running are covered by requests that came then too.
async fn late(store: &Store, through: i64, uncovered: &mut Vec<(InstallationId, [u8; 32])>) -> Result<(), StoreError> {
    let mut after = through;
    while !uncovered.is_empty() {
        let page = receipted::after(&mut *store.read().await?, after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.n;
        let covers = |key: &(InstallationId, [u8; 32])| {
            page.iter().any(|row| row.installation == key.0 && row.documents.contains(&key.1))
        };
        uncovered.retain(|key| !covers(key));
    }
    Ok(())
}

fn name(installation: InstallationId, hash: &[u8; 32]) -> String {
    format!("document {} of {installation}", Hash::from_bytes(*hash))
}
