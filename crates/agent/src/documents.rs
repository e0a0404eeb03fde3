//! Documents of this installation and what became of them.
//!
//! A document is signed once and sent, the same bytes, under as many requests as it takes (C1). It is kept after its
//! receipt too: a server that was restored from a backup asks for it again (E3).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use tenure_core::{DocumentId, Period, Timestamp, Week};
use tenure_license::{DocOutcome, Envelope, Hash, Outcome, ReportStage, exchange::MAX_DOCUMENTS};

use crate::record::Adjustment;

/// Payload bytes of documents that one request carries: the server takes bodies of 8 MiB, and base64 needs a third more.
const MAX_BATCH_BYTES: usize = 4 * 1024 * 1024;
/// How long a document that a request named and did not carry waits.
const ABSENT_WAIT_SECS: i64 = 3600;

/// What a document is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Subject {
    /// The watermark of a week.
    Watermark {
        /// The week.
        week: Week,
    },
    /// A revision of a report.
    Report {
        /// The month.
        period: Period,
        /// From 1.
        revision: u32,
        /// Preliminary or final.
        stage: ReportStage,
    },
    /// A part of the workloads behind a report.
    Evidence {
        /// The month.
        period: Period,
        /// The report's revision.
        revision: u32,
        /// From 0.
        part: u32,
    },
}

/// A document and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Document {
    pub(crate) subject: Subject,
    pub(crate) envelope: Envelope,
    pub(crate) made_at: Timestamp,
    pub(crate) receipt: Option<HeldReceipt>,
    /// Refused for good.
    pub(crate) refused: Option<Outcome>,
    /// Receipted, and wanted again by a restored server.
    pub(crate) again: bool,
    pub(crate) not_before: Option<Timestamp>,
}

/// A receipt that rode in an answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeldReceipt {
    pub(crate) id: DocumentId,
    pub(crate) outcome: Outcome,
    pub(crate) received_at: i64,
    /// The answer that proves it.
    pub(crate) answer: Hash,
}

/// How far the report of a period is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ReportState {
    /// The newest revision made.
    pub(crate) revision: u32,
    pub(crate) hash: Hash,
    pub(crate) stage: ReportStage,
    pub(crate) made_at: Timestamp,
    /// The server holds another document under this revision.
    pub(crate) conflict: Option<u32>,
}

/// What people decided about the report of a period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decisions {
    pub(crate) postponed_until: Option<Timestamp>,
    pub(crate) adjustments: Vec<Adjustment>,
}

/// All documents of this installation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Documents {
    held: BTreeMap<Hash, Document>,
    /// Answers that prove receipts.
    answers: BTreeMap<Hash, Envelope>,
    reports: BTreeMap<Period, ReportState>,
    decisions: BTreeMap<Period, Decisions>,
}

impl Subject {
    /// The end of the time it speaks of; documents go out in this order.
    pub(crate) fn covers_until(&self) -> Timestamp {
        match self {
            Self::Watermark { week } => week.end(),
            Self::Report { period, .. } | Self::Evidence { period, .. } => period.end(),
        }
    }

    fn order(&self) -> (Timestamp, u32, u8, u32) {
        let until = self.covers_until();
        match *self {
            Self::Watermark { .. } => (until, 0, 0, 0),
            Self::Report { revision, .. } => (until, revision, 1, 0),
            Self::Evidence { revision, part, .. } => (until, revision, 2, part),
        }
    }
}

impl Document {
    /// Neither receipted nor refused for good.
    pub(crate) fn unsent(&self) -> bool {
        self.receipt.is_none() && self.refused.is_none()
    }

    fn wants_out(&self, now: Timestamp) -> bool {
        (self.unsent() || self.again) && self.not_before.is_none_or(|at| at <= now)
    }
}

impl Documents {
    /// Takes a freshly signed document.
    pub(crate) fn add(&mut self, subject: Subject, envelope: Envelope, made_at: Timestamp) {
        let hash = envelope.hash();
        if let Subject::Report { period, revision, stage } = subject
            && self.reports.get(&period).is_none_or(|report| report.revision < revision)
        {
            self.reports.insert(period, ReportState { revision, hash, stage, made_at, conflict: None });
        }
        let document =
            Document { subject, envelope, made_at, receipt: None, refused: None, again: false, not_before: None };
        // The same evidence under a later revision is the same bytes, and may be receipted already.
        self.held.entry(hash).or_insert(document);
    }

    /// What the next request carries: oldest first, at most one month's final report with what belongs to it, within the
    /// request's bounds. The rest follows in the next.
    pub(crate) fn batch(&self, now: Timestamp) -> Vec<Hash> {
        let mut waiting: Vec<(&Hash, &Document)> =
            self.held.iter().filter(|(_, document)| document.wants_out(now)).collect();
        waiting.sort_by_key(|(_, document)| document.subject.order());
        let (mut batch, mut bytes, mut finished) = (Vec::new(), 0, None);
        for (hash, document) in waiting {
            bytes += document.envelope.payload.len();
            let next_month = match document.subject {
                Subject::Report { period, .. } => finished.is_some_and(|finished| finished != period),
                _ => false,
            };
            if batch.len() == MAX_DOCUMENTS || next_month || (bytes > MAX_BATCH_BYTES && !batch.is_empty()) {
                break;
            }
            if let Subject::Report { period, stage: ReportStage::Final, .. } = document.subject {
                finished = Some(period);
            }
            batch.push(*hash);
        }
        batch
    }

    /// When the first waiting document wants to go out.
    pub(crate) fn due(&self) -> Option<Timestamp> {
        let waiting = self.held.values().filter(|document| document.unsent() || document.again);
        waiting.map(|document| document.not_before.unwrap_or(document.made_at)).min()
    }

    /// The envelopes of documents.
    pub(crate) fn envelopes(&self, hashes: &[Hash]) -> Vec<Envelope> {
        hashes.iter().filter_map(|hash| self.held.get(hash)).map(|document| document.envelope.clone()).collect()
    }

    /// Answers that prove the receipts of documents that go out again.
    pub(crate) fn old_receipts(&self, hashes: &[Hash]) -> Vec<Envelope> {
        let again = hashes.iter().filter_map(|hash| self.held.get(hash)).filter(|document| document.again);
        let proofs: BTreeSet<Hash> = again.filter_map(|document| document.receipt.as_ref()).map(|r| r.answer).collect();
        proofs.iter().filter_map(|hash| self.answers.get(hash)).cloned().collect()
    }

    /// Takes what an answer says of documents. Gives back those that were made by a clock that ran ahead: they are gone,
    /// and their time will be reported when it has really passed.
    pub(crate) fn settle(
        &mut self,
        answer: Hash,
        proof: &Envelope,
        outcomes: &[DocOutcome],
        now: Timestamp,
    ) -> Vec<Subject> {
        let (mut premature, mut proves) = (Vec::new(), false);
        for told in outcomes {
            let Some(document) = self.held.get_mut(&told.hash) else { continue };
            if let Some(receipt) = &told.receipt {
                document.again = false;
                // The first receipt is the one that counts (E3); a later answer only repeats it.
                if document.receipt.is_none() {
                    let (id, received_at) = (receipt.id, receipt.received_at);
                    document.receipt = Some(HeldReceipt { id, outcome: told.outcome, received_at, answer });
                    proves = true;
                }
            }
            let subject = document.subject;
            match told.outcome {
                Outcome::Conflict => self.note_conflict(subject, told),
                Outcome::Accepted | Outcome::Repeated | Outcome::Late | Outcome::NotCounted => {}
                Outcome::NotYet => {
                    self.held.remove(&told.hash);
                    self.forget_report(subject, told.hash);
                    premature.push(subject);
                }
                Outcome::TooOld | Outcome::Invalid => {
                    document.refused = Some(told.outcome);
                    document.again = false;
                }
                Outcome::Absent => document.not_before = Some(now.plus_secs(ABSENT_WAIT_SECS)),
            }
        }
        if proves {
            self.answers.insert(answer, proof.clone());
        }
        premature
    }

    fn note_conflict(&mut self, subject: Subject, told: &DocOutcome) {
        if let Subject::Report { period, revision, .. } = subject
            && let Some(report) = self.reports.get_mut(&period)
            && report.hash == told.hash
        {
            report.conflict = Some(told.have_revision.unwrap_or(revision));
        }
    }

    /// The report before a dropped one is the newest again, if it is still held.
    fn forget_report(&mut self, subject: Subject, dropped: Hash) {
        let Subject::Report { period, .. } = subject else { return };
        if self.reports.get(&period).is_none_or(|report| report.hash != dropped) {
            return;
        }
        self.reports.remove(&period);
        let earlier = self.held.iter().filter_map(|(hash, document)| match document.subject {
            Subject::Report { period: of, revision, stage } if of == period => {
                Some(ReportState { revision, hash: *hash, stage, made_at: document.made_at, conflict: None })
            }
            _ => None,
        });
        if let Some(newest) = earlier.max_by_key(|report| report.revision) {
            self.reports.insert(period, newest);
        }
    }

    /// A restored server wants again what was receipted from `since` (seconds) on.
    pub(crate) fn want_again(&mut self, since: i64) {
        for document in self.held.values_mut() {
            document.again |= document.receipt.as_ref().is_some_and(|receipt| receipt.received_at > since);
        }
    }

    /// Drops what was never sent and speaks of a time after `end`: the clock that made it ran ahead.
    pub(crate) fn drop_unsent_after(&mut self, end: Timestamp) {
        let ahead = |document: &Document| document.unsent() && document.subject.covers_until() > end;
        let dropped: Vec<(Hash, Subject)> =
            self.held.iter().filter(|(_, document)| ahead(document)).map(|(hash, d)| (*hash, d.subject)).collect();
        for (hash, subject) in dropped {
            self.held.remove(&hash);
            self.forget_report(subject, hash);
        }
    }

    /// How far the report of a period is; none before the first revision.
    pub(crate) fn report(&self, period: Period) -> Option<&ReportState> {
        self.reports.get(&period)
    }

    /// Periods of which a report was made.
    pub(crate) fn reported(&self) -> impl DoubleEndedIterator<Item = (Period, &ReportState)> {
        self.reports.iter().map(|(period, report)| (*period, report))
    }

    /// A document by its hash.
    pub(crate) fn get(&self, hash: &Hash) -> Option<&Document> {
        self.held.get(hash)
    }

    /// An answer that proves a receipt.
    pub(crate) fn answer(&self, hash: &Hash) -> Option<&Envelope> {
        self.answers.get(hash)
    }

    /// All documents.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Document> {
        self.held.values()
    }

    /// Whether the newest revision of a period is final and the server holds it.
    pub(crate) fn finished(&self, period: Period) -> bool {
        let Some(report) = self.reports.get(&period).filter(|report| report.stage == ReportStage::Final) else {
            return false;
        };
        self.held.get(&report.hash).is_none_or(|document| !document.unsent())
    }

    /// What people decided about a period.
    pub(crate) fn decisions(&self, period: Period) -> Option<&Decisions> {
        self.decisions.get(&period)
    }

    /// What people decided about a period, to be added to.
    pub(crate) fn decisions_mut(&mut self, period: Period) -> &mut Decisions {
        self.decisions.entry(period).or_default()
    }

    /// Forgets settled documents older than `memory`, and answers that prove nothing any more.
    pub(crate) fn prune(&mut self, memory: Timestamp) {
        self.held.retain(|_, document| document.unsent() || document.again || document.made_at >= memory);
        let needed: BTreeSet<Hash> = self.held.values().filter_map(|d| d.receipt.as_ref()).map(|r| r.answer).collect();
        self.answers.retain(|hash, _| needed.contains(hash));
        self.reports.retain(|period, _| period.end() >= memory);
        self.decisions.retain(|period, _| period.end() >= memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn envelope(n: usize, bytes: usize) -> Envelope {
        let payload = format!("{n}{}", "0".repeat(bytes)).into_bytes();
        Envelope { payload, payload_type: "application/x".into(), signatures: Vec::new() }
    }
    fn period(text: &str) -> Period {
        text.parse().unwrap()
    }
    fn report(month: &str, revision: u32, stage: ReportStage) -> Subject {
        Subject::Report { period: period(month), revision, stage }
    }
    fn now() -> Timestamp {
        "2026-06-01T00:00:00Z".parse().unwrap()
    }
    fn subjects(documents: &Documents, batch: &[Hash]) -> Vec<Subject> {
        batch.iter().map(|hash| documents.get(hash).unwrap().subject).collect()
    }
    fn outcome(hash: Hash, outcome: Outcome, received_at: Option<i64>) -> DocOutcome {
        let id = DocumentId::from_uuid(uuid::Uuid::nil());
        let receipt = received_at.map(|received_at| tenure_license::InlineReceipt { id, epoch: 1, received_at });
        DocOutcome { hash, outcome, receipt, have_revision: None }
    }

    #[test]
    fn a_request_carries_one_month_oldest_first() {
        let mut documents = Documents::default();
        let evidence = |month: &str, part| Subject::Evidence { period: period(month), revision: 2, part };
        let late_week = Subject::Watermark { week: "2026-W09".parse().unwrap() };
        let made = [
            report("2026-03", 1, ReportStage::Final),
            evidence("2026-02", 1),
            late_week,
            evidence("2026-02", 0),
            report("2026-02", 2, ReportStage::Final),
            Subject::Watermark { week: "2026-W07".parse().unwrap() },
            report("2026-02", 1, ReportStage::Preliminary),
        ];
        for (n, subject) in made.into_iter().enumerate() {
            documents.add(subject, envelope(n, 10), now());
        }
        let batch = documents.batch(now());
        assert_eq!(subjects(&documents, &batch), [made[5], made[6], made[4], made[3], made[1], made[2]]);
        let told: Vec<_> = batch.iter().map(|hash| outcome(*hash, Outcome::Accepted, Some(7))).collect();
        documents.settle(Hash::sha256("answer"), &envelope(99, 1), &told, now());
        assert_eq!(subjects(&documents, &documents.batch(now())), [made[0]]);
        assert!(documents.finished(period("2026-02")) && !documents.finished(period("2026-03")));
    }

    #[test]
    fn batches_are_bounded_in_number_and_bytes() {
        let mut documents = Documents::default();
        for part in 0..70 {
            let subject = Subject::Evidence { period: period("2026-02"), revision: 1, part };
            documents.add(subject, envelope(part as usize, 10), now());
        }
        assert_eq!(documents.batch(now()).len(), 64);
        let mut documents = Documents::default();
        for part in 0..12 {
            let subject = Subject::Evidence { period: period("2026-02"), revision: 1, part };
            documents.add(subject, envelope(part as usize, 500_000), now());
        }
        assert_eq!(documents.batch(now()).len(), 8);
    }

    #[test]
    fn each_outcome_has_its_consequence() {
        let mut documents = Documents::default();
        let hashes: Vec<Hash> = (0..4)
            .map(|n| {
                let document = envelope(n, 10);
                let hash = document.hash();
                let month = ["2026-02", "2026-03", "2026-04", "2026-05"][n];
                documents.add(report(month, 1, ReportStage::Final), document, now());
                hash
            })
            .collect();
        let conflict = DocOutcome { have_revision: Some(3), ..outcome(hashes[0], Outcome::Conflict, Some(5)) };
        let told = [
            conflict,
            outcome(hashes[1], Outcome::NotYet, None),
            outcome(hashes[2], Outcome::TooOld, None),
            outcome(hashes[3], Outcome::Absent, None),
            outcome(Hash::sha256("foreign"), Outcome::Accepted, Some(5)),
        ];
        let premature = documents.settle(Hash::sha256("answer"), &envelope(9, 1), &told, now());
        assert_eq!(premature, [report("2026-03", 1, ReportStage::Final)]);
        assert_eq!(documents.report(period("2026-02")).unwrap().conflict, Some(3));
        assert_eq!(documents.report(period("2026-03")), None, "it will be made again when its time has come");
        assert_eq!(documents.batch(now()), [], "the absent one waits");
        assert_eq!(documents.batch(now().plus_secs(3600)), [hashes[3]]);
        assert_eq!(documents.due(), Some(now().plus_secs(3600)));
    }

    #[test]
    fn a_restored_server_gets_again_what_it_lost_with_the_old_receipts() {
        let mut documents = Documents::default();
        let hash = |n| envelope(n, 10).hash();
        for n in 0..2 {
            let week = Subject::Watermark { week: ["2026-W07", "2026-W08"][n].parse().unwrap() };
            documents.add(week, envelope(n, 10), now());
        }
        for (n, received) in [(0, 100), (1, 200)] {
            let proof = envelope(50 + n, 10);
            let told = [outcome(hash(n), Outcome::Accepted, Some(received))];
            documents.settle(proof.hash(), &proof, &told, now());
        }
        assert_eq!(documents.batch(now()), []);
        documents.want_again(150);
        assert_eq!(documents.batch(now()), [hash(1)]);
        assert_eq!(documents.old_receipts(&[hash(1)]), [envelope(51, 10)]);
        let told = [outcome(hash(1), Outcome::Repeated, Some(200))];
        documents.settle(Hash::sha256("new"), &envelope(60, 10), &told, now());
        assert_eq!(documents.batch(now()), []);
        let receipt = documents.get(&hash(1)).unwrap().receipt.clone().unwrap();
        assert_eq!((receipt.answer, receipt.received_at), (envelope(51, 10).hash(), 200), "the first receipt stays");
        documents.prune(now().plus_secs(1));
        assert_eq!(documents.iter().count(), 0);
    }
}
