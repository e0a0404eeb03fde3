//! The documents of a check-in: known ones get their first receipt again, new ones are kept and counted.

use tenure_core::{
    DocumentId, Period, Timestamp,
    arrival::{PeriodRefusal, check_report_period, check_watermark_week},
    chain::RejoinClass,
    expected::Life,
};
use tenure_license::{DocOutcome, Envelope, InlineReceipt, Outcome, PublicKey};
use tenure_store::{
    Tx,
    rows::{
        self,
        chain::{ChainRow, Tip},
        document::DocumentRow,
        held_installation::HeldDocumentRow,
        installation,
        rejoin::RejoinRow,
    },
};

use super::verify::{self, Content, Document, Message};
use crate::{
    Error, ProblemKind, Result, Service, change,
    installation_view::KEPT_REJOINS,
    month_ingest::{self, ReportTaken, WatermarkTaken},
    unseen,
};

/// Takes every document of a message, in the request's order.
pub(super) async fn take_all(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    message: &Message,
    counted: bool,
) -> Result<Vec<DocOutcome>> {
    let mut outcomes = Vec::with_capacity(message.documents.len());
    for document in &message.documents {
        // What a restored database lost comes again with its receipt, and keeps it (E3).
        let arrival = match message.receipts.get(&document.hash) {
            Some(first) => {
                let received = Timestamp::from_secs(first.received_at);
                Arrival { id: first.id, epoch: first.epoch, received }
            }
            None => Arrival { id: document.id, epoch: service.deployment().epoch, received: message.received },
        };
        outcomes.push(take(service, tx, row, document, arrival, counted).await?);
    }
    Ok(outcomes)
}

/// Takes what was kept of a held installation, as of the day it came; how many were.
pub(super) async fn take_held(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    keys: &[PublicKey],
    kept: &[HeldDocumentRow],
    product: &str,
) -> Result<u32> {
    let mut documents = Vec::with_capacity(kept.len());
    for held in kept {
        let envelope = Envelope::from_json(held.envelope.as_bytes());
        let envelope = envelope.map_err(|_| Error::Internal("a kept document cannot be read"))?;
        let document = verify::kept(service, row.installation, keys, envelope, held.received);
        documents.push((document, held.received));
    }
    for (document, _) in &documents {
        if let Content::Report(report) = &document.content
            && report.product != product
        {
            let words =
                format!("its reports are of {}, and that license is for {product}; name another", report.product);
            return Err(ProblemKind::WrongProduct.because(words).into());
        }
    }
    // Revisions of one report may have come in one request.
    documents.sort_by_key(|(document, received)| match &document.content {
        Content::Report(report) => (*received, report.revision),
        _ => (*received, 0),
    });
    let mut taken = 0;
    for (document, received) in &documents {
        let arrival = Arrival { id: document.id, epoch: service.deployment().epoch, received: *received };
        let outcome = take(service, tx, row, document, arrival, true).await?;
        taken += u32::from(outcome.receipt.is_some());
    }
    Ok(taken)
}

/// When a document came first, and what its receipt says of that.
#[derive(Clone, Copy)]
struct Arrival {
    id: DocumentId,
    epoch: u64,
    received: Timestamp,
}

async fn take(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    document: &Document,
    arrival: Arrival,
    counted: bool,
) -> Result<DocOutcome> {
    let Arrival { id, epoch, received } = arrival;
    let refused = |outcome| DocOutcome { hash: document.hash, outcome, receipt: None, have_revision: None };
    if let Some(held) = rows::document::find(tx, row.installation, document.hash.as_bytes()).await? {
        // The same bytes again: the receipt of then (C1).
        return Ok(DocOutcome {
            hash: document.hash,
            outcome: Outcome::Repeated,
            receipt: Some(InlineReceipt { id: held.id, epoch: held.epoch, received_at: held.received.as_secs() }),
            have_revision: None,
        });
    }
    let Some(envelope) = &document.envelope else { return Ok(refused(Outcome::Absent)) };
    let (kind, period, number) = match &document.content {
        Content::Absent => return Ok(refused(Outcome::Absent)),
        Content::Invalid => return Ok(refused(Outcome::Invalid)),
        Content::Report(report) => ("report", report.period, i64::from(report.revision)),
        Content::Watermark(mark) => ("watermark", mark.week.first().period(), i64::from(mark.week.first().number())),
        Content::Evidence(evidence) => ("evidence", evidence.period, i64::from(evidence.part)),
    };
    if !names_own_license(tx, row, &document.content, period).await? {
        return Ok(refused(Outcome::Invalid));
    }
    if let Some(outcome) = untimely(service, tx, row, &document.content, received).await? {
        return Ok(refused(outcome));
    }
    if rows::document::count(tx, row.installation, kind, period).await? >= most(kind) {
        return Ok(refused(Outcome::Invalid));
    }
    let counted = counted && is_expected(tx, row, &document.content).await?;
    let mut have_revision = None;
    let outcome = match &document.content {
        Content::Report(report) => {
            let taken = ReportTaken {
                provider: row.provider,
                installation: row.installation,
                license: row.license,
                document: id,
                hash: document.hash,
                report,
                received,
                counted,
            };
            let decided = month_ingest::take_report(service, tx, &taken).await?;
            have_revision = decided.have_revision;
            decided.outcome
        }
        Content::Watermark(mark) => {
            let taken = WatermarkTaken {
                provider: row.provider,
                installation: row.installation,
                license: row.license,
                hash: document.hash,
                watermark: mark,
                received,
                counted,
            };
            month_ingest::take_watermark(service, tx, &taken).await?
        }
        Content::Evidence(_) => Outcome::Accepted,
        Content::Absent | Content::Invalid => Outcome::Invalid,
    };
    let Some(kept) = month_ingest::kept_word(outcome) else {
        return Ok(DocOutcome { have_revision, ..refused(outcome) });
    };
    let signatures =
        serde_json::to_string(&envelope.signatures).map_err(|_| Error::Internal("signatures are always JSON"))?;
    rows::document::insert(
        tx,
        DocumentRow {
            installation: row.installation,
            hash: *document.hash.as_bytes(),
            id,
            provider: row.provider,
            kind,
            period,
            number,
            outcome: kept,
            epoch,
            received,
            payload: envelope.payload.clone(),
            signatures,
        },
    )
    .await?;
    if counted && outcome == Outcome::Accepted && kind != "watermark" {
        unseen::settle(service, tx, row.provider, row.installation, period).await?;
    }
    let receipt = InlineReceipt { id, epoch, received_at: received.as_secs() };
    Ok(DocOutcome { hash: document.hash, outcome, receipt: Some(receipt), have_revision })
}

/// Most documents of a kind that are kept of an installation's month, whatever became of them (X9). A part of the evidence
/// names 1000 workloads; of reports and watermarks honest products send a few.
fn most(kind: &str) -> u64 {
    if kind == "evidence" { 1_024 } else { 128 }
}

/// Whether a server that was taken out, or whose license ended, still owes the month: what it sends of later ones is kept
/// and not counted, and nothing of one that was voided is.
async fn is_expected(tx: &mut Tx, row: &ChainRow, content: &Content) -> Result<bool> {
    if row.status != "retired" && row.license_state != "revoked" {
        return Ok(true);
    }
    let cold = installation::find(tx, row.provider, row.installation).await?;
    let cold = cold.ok_or(Error::Internal("an installation without its row"))?;
    let ended = rows::license::find(tx, row.provider, cold.license).await?.and_then(|license| license.ended);
    let life = Life { activated_at: cold.activated, ended_at: cold.retired.into_iter().chain(ended).min() };
    let owes = match content {
        Content::Report(report) => life.is_expected(report.period),
        Content::Evidence(evidence) => life.is_expected(evidence.period),
        Content::Watermark(mark) => mark.week.days().any(|day| life.is_expected(day.period())),
        Content::Absent | Content::Invalid => true,
    };
    Ok(owes && cold.retired_how.as_deref() != Some("voided"))
}

/// What a payload says of its license must equal what the row says: the one held now, or the one owed for in that month
/// (A5). Whose it is was never taken from the payload.
async fn names_own_license(tx: &mut Tx, row: &ChainRow, content: &Content, period: Period) -> Result<bool> {
    let named = match content {
        Content::Report(report) => report.license,
        Content::Watermark(mark) => mark.license,
        Content::Evidence(_) | Content::Absent | Content::Invalid => return Ok(true),
    };
    if named == row.license {
        return Ok(true);
    }
    let owed = rows::obligation::find(tx, row.provider, period, row.installation).await?;
    if owed.is_some_and(|(license, ..)| license == named) {
        return Ok(true);
    }
    // Lost and confirmed, it signed for the license of then.
    Ok(rows::held_installation::license_before(tx, row.installation).await? == Some(named))
}

/// Not before its span has ended by our clock, not before the activation, not more than the policy's months back (T4).
async fn untimely(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    content: &Content,
    received: Timestamp,
) -> Result<Option<Outcome>> {
    if matches!(content, Content::Absent | Content::Invalid) {
        return Ok(None);
    }
    let cold = installation::find(tx, row.provider, row.installation).await?;
    let activated = cold.ok_or(Error::Internal("an installation without its row"))?.activated;
    let policy = service.policy();
    let checked = match content {
        Content::Report(report) => check_report_period(report.period, received, activated, policy),
        Content::Evidence(evidence) => check_report_period(evidence.period, received, activated, policy),
        Content::Watermark(mark) => check_watermark_week(mark.week, received, activated, policy),
        Content::Absent | Content::Invalid => Ok(()),
    };
    Ok(checked.err().map(|refused| match refused {
        PeriodRefusal::NotYet => Outcome::NotYet,
        PeriodRefusal::TooOld => Outcome::TooOld,
    }))
}

/// Writes what a rejoin leaves behind, and tells people.
pub(super) async fn note_rejoin(
    service: &Service,
    tx: &mut Tx,
    row: &ChainRow,
    message: &Message,
    class: RejoinClass,
    leaves_tip: bool,
) -> Result<()> {
    let now = message.received;
    let mut superseded = row.superseded.clone();
    if leaves_tip {
        superseded.push(Tip {
            branch: row.branch,
            seq: row.seq,
            head: tenure_store::hex(&row.head),
            req: tenure_store::hex(&row.req),
        });
        let surplus = superseded.len().saturating_sub(tenure_core::chain::MAX_SUPERSEDED);
        superseded.drain(..surplus);
    }
    let since = now.plus_days(-i64::from(service.policy().rejoin_window_days)).as_micros();
    let mut rejoins: Vec<i64> = row.rejoins.iter().copied().filter(|at| *at >= since).collect();
    rejoins.push(now.as_micros());
    rejoins.drain(..rejoins.len().saturating_sub(KEPT_REJOINS as usize));
    let clone = super::answer::is_suspended(row, Some(class));
    let status = if clone { "suspended_clone" } else { row.status.as_str() };
    rows::chain::leave_branch(tx, row.installation, &superseded, &rejoins, status).await?;
    let word = match class {
        RejoinClass::ServerRestored => "server_restored",
        RejoinClass::Clone => "clone",
        RejoinClass::SetBack => "set_back",
    };
    let often = rejoins.len() > service.policy().rejoins_unflagged as usize;
    let cold = installation::find(tx, row.provider, row.installation).await?;
    let left_host = cold.ok_or(Error::Internal("an installation without its row"))?.host;
    let kept = RejoinRow {
        seq: message.request.seq,
        at: now,
        class: word.to_owned(),
        left_seq: row.seq,
        left_at: row.seen,
        left_host,
        host: serde_json::to_string(&message.request.host).unwrap_or_default(),
        resolved: None,
    };
    rows::rejoin::insert(tx, row.provider, row.installation, &kept, KEPT_REJOINS).await?;
    let body = serde_json::json!({
        "class": word, "left_seq": row.seq, "host": message.request.host.name, "flagged": often, "suspended": clone,
    });
    change::record(tx, "server", row.provider, "installation.rejoined", row.installation.to_string(), now, body);
    Ok(())
}

/// One side of a clone became a server of its own, and the other has spoken: it goes on alone.
pub(super) async fn clear_split(tx: &mut Tx, row: &ChainRow, now: Timestamp) -> Result<()> {
    rows::chain::set_status(tx, row.installation, "active", None).await?;
    rows::rejoin::resolve(tx, row.provider, row.installation, now, uuid::Uuid::nil(), "split").await?;
    let subject = row.installation.to_string();
    change::record(tx, "server", row.provider, "installation.clone_cleared", subject, now, serde_json::json!({}));
    Ok(())
}

/// Brings the cold row up to date with what the product tells of itself.
pub(super) async fn note_facts(tx: &mut Tx, row: &ChainRow, message: &Message) -> Result<()> {
    let request = &message.request;
    let mut cold = installation::find(tx, row.provider, row.installation)
        .await?
        .ok_or(Error::Internal("an installation without its row"))?;
    if let Ok(was) = serde_json::from_str(&cold.host) {
        super::hosts::note(tx, row, (&was, &request.host), message.received).await?;
    }
    cold.name.clone_from(&request.host.name);
    cold.host = serde_json::to_string(&request.host).unwrap_or_default();
    cold.product_version.clone_from(&request.versions.product);
    cold.agent_version.clone_from(&request.versions.agent);
    cold.auto_update = request.auto_update;
    installation::update_facts(tx, &cold).await?;
    Ok(())
}
