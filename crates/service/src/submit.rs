//! Submitting a month: what was seen is what is signed (F9, invariant 3).

use serde_json::json;
use tenure_core::{
    LicenseId, Points, Timestamp,
    cycle::{UsageEvent, UsageState},
    deadline::{distributor_deadline, undecided_extends_at},
    reported::UsageProgress,
    roles::{Action, OrgKind},
};
use tenure_license::{
    Hash, encode_payload,
    payload::{Receipt, ReceiptSubject},
};
use tenure_store::{
    Queue, Tx,
    jobs::{self, NewJob},
    rows::{
        approval_rule,
        monthly_usage::{self, UsageRow},
        obligation,
        submission::{self, SubmissionRow},
    },
};

use crate::{
    Actor, Error, ProblemKind, Result, Service, change, checks, due,
    month::{LinesTag, Month, settled},
    month_access::{self, MonthRef, lock, step},
    month_changes, suspension,
};

/// The longest reason or comment, in characters.
pub(crate) const MAX_REASON: usize = 2000;

/// What is submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmitInput {
    /// The lines that were seen.
    pub seen: LinesTag,
    /// Another purchase order than the agreement's; none leaves it.
    pub purchase_order: Option<String>,
    /// Words to the distributor; none leaves them.
    pub comment: Option<String>,
}

/// What was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SubmittedMonth {
    /// Which submission of the month, from 1.
    pub number: u32,
    /// When.
    pub at: Timestamp,
    /// SHA-256 of the lines.
    pub lines_hash: [u8; 32],
    /// Reported points.
    pub reported: Points,
    /// Total points.
    pub total: Points,
}

impl From<&SubmissionRow> for SubmittedMonth {
    fn from(row: &SubmissionRow) -> Self {
        Self { number: row.number, at: row.at, lines_hash: row.lines_hash, reported: row.reported, total: row.total }
    }
}

/// Submits a month to the distributor. The same submission again changes nothing and gives the same answer.
pub async fn submit_month(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    input: SubmitInput,
) -> Result<SubmittedMonth> {
    checks::text("purchase_order", input.purchase_order.as_deref().unwrap_or_default(), 100)?;
    checks::text("comment", input.comment.as_deref().unwrap_or_default(), MAX_REASON)?;
    // Whether it is on time is decided by its arrival, however long it waits for its turn (T3).
    let received = service.now();
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (mut usage, kind) = lock(tx, &actor, which, Action::SubmitUsage).await?;
            if let Some(done) = repeated(tx, &actor, &usage, &input.seen).await? {
                return Ok(done);
            }
            if usage.state == UsageState::Collecting {
                month_access::start_review(service, tx, &actor, kind, &mut usage).await?;
            }
            let month = Month::load(service, tx, usage.clone(), service.now()).await?;
            must_be(tx, &month, &input.seen, service.now()).await?;
            if let Some(purchase_order) = &input.purchase_order {
                purchase_order.trim().clone_into(&mut usage.purchase_order);
            }
            if let Some(comment) = &input.comment {
                comment.trim().clone_into(&mut usage.comment);
            }
            let by = By { actor: &actor, kind, event: UsageEvent::Submit, received };
            submit(service, tx, &by, usage, &month).await
        })
        .await
}

/// The submission there is, when it is the one that is asked for again.
async fn repeated(tx: &mut Tx, actor: &Actor, usage: &UsageRow, seen: &LinesTag) -> Result<Option<SubmittedMonth>> {
    if usage.state != UsageState::PendingDistributorReview {
        return Ok(None);
    }
    let last = submission::last(tx, usage.provider, usage.period).await?;
    let same = last.filter(|last| last.lines_hash == seen.hash && last.by_org == actor.org);
    Ok(same.as_ref().map(SubmittedMonth::from))
}

/// The lines must be those that were seen; else 412 with what changed, line by line (F9).
pub(crate) async fn must_be(tx: &mut Tx, month: &Month, seen: &LinesTag, now: Timestamp) -> Result<()> {
    if month.tag.hash == seen.hash {
        return Ok(());
    }
    let changes = month_changes::since(tx, month, seen, now).await?;
    let changes = serde_json::to_value(changes).map_err(|_| Error::Internal("changes are not JSON"))?;
    let problem = ProblemKind::Changed.because("the lines are not those you named");
    Err(problem.with("changes", changes).with("etag", month.tag.to_string()).into())
}

/// Who submits, how, and when that arrived.
pub(crate) struct By<'a> {
    pub(crate) actor: &'a Actor,
    pub(crate) kind: OrgKind,
    pub(crate) event: UsageEvent,
    pub(crate) received: Timestamp,
}

/// Submits a month whose lines are known: writes what is signed, and sets going what follows.
pub(crate) async fn submit(
    service: &Service,
    tx: &mut Tx,
    by: &By<'_>,
    mut usage: UsageRow,
    month: &Month,
) -> Result<SubmittedMonth> {
    let (now, policy, actor) = (service.now(), service.policy_of(usage.period), by.actor);
    usage.state = step(actor, by.kind, usage.state, by.event, &month.facts(now, service.policy_of(month.head.period)))?;
    usage.submitted = Some(by.received);
    usage.submitted_by = Some(actor.principal());
    usage.submissions += 1;
    usage.vendor = None;
    usage.vendor_by = None;
    usage.approved = None;
    usage.approved_by = None;
    usage.presumed = None;
    usage.changed = now;
    monthly_usage::update(tx, &usage).await?;
    let row = sign(service, tx, actor, &usage, month, UsageProgress::Submitted).await?;
    obligation::resolve(tx, usage.provider, usage.period, now, "submitted").await?;
    let body = json!({
        "period": usage.period, "number": row.number, "lines": tenure_store::hex(&row.lines_hash),
        "reported": row.reported.to_string(), "total": row.total.to_string(), "flagged": row.flagged,
        "lowered": row.lowered,
    });
    let subject = usage.id.to_string();
    change::by(tx, actor, usage.provider, "usage.submitted", subject.clone(), now, body.clone());
    change::tell(tx, usage.distributor, "usage.submitted", subject, now, body);
    due::extend(service, tx, &usage, due::Cause::Submission).await?;
    follow(tx, &usage, by.received, policy).await?;
    suspension::refresh(service, tx, usage.provider).await?;
    Ok(SubmittedMonth::from(&row))
}

/// Keeps lines, totals, hash and receipt: what is signed. The receipt's payload is committed here and signed when it is
/// read (E11).
pub(crate) async fn sign(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    usage: &UsageRow,
    month: &Month,
    progress: UsageProgress,
) -> Result<SubmissionRow> {
    let received = usage.submitted.unwrap_or_else(|| service.now());
    let receipt = Receipt {
        v: 1,
        aud: service.deployment().id,
        epoch: service.deployment().epoch,
        subject: ReceiptSubject::Submission {
            usage: usage.id,
            provider: usage.provider,
            period: usage.period,
            number: usage.submissions,
            reported: month.totals.reported,
            total: month.totals.total,
        },
        hash: Hash::from_bytes(month.tag.hash),
        received_at: received.as_secs(),
        crit: Vec::new(),
    };
    let licenses: Vec<Settled> = settled(month, progress, service.policy_of(usage.period))
        .into_iter()
        .map(|(license, waits)| Settled { license, waits })
        .collect();
    let row = SubmissionRow {
        number: usage.submissions,
        by: actor.principal(),
        by_org: actor.org,
        at: received,
        lines_hash: month.tag.hash,
        lines: month.canonical(),
        reported: month.totals.reported,
        total: month.totals.total,
        flagged: month.flagged(),
        lowered: month.lowered,
        licenses: serde_json::to_string(&licenses).map_err(|_| Error::Internal("licenses are not JSON"))?,
        receipt: encode_payload(&receipt),
    };
    submission::insert(tx, usage.provider, usage.period, &row).await?;
    Ok(row)
}

/// A license that a submission accounts for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settled {
    pub(crate) license: LicenseId,
    /// It waits for the month to be Closed.
    pub(crate) waits: bool,
}

/// What becomes of a submission when nobody decides.
async fn follow(tx: &mut Tx, usage: &UsageRow, now: Timestamp, policy: &tenure_core::Policy) -> Result<()> {
    let key = format!("{}/{}", usage.id, usage.submissions);
    let payload = json!({ "provider": usage.provider, "period": usage.period, "number": usage.submissions });
    let waits = [
        (due::DECISION_DUE, distributor_deadline(usage.period, now, policy)),
        (due::PRESUME, undecided_extends_at(usage.period, now, policy)),
    ];
    for (kind, due_at) in waits {
        jobs::enqueue(tx, NewJob { kind, key: key.clone(), payload: payload.clone(), at: now, due_at }).await?;
    }
    if approval_rule::find(tx, usage.distributor).await?.is_some() {
        jobs::enqueue(tx, NewJob { kind: due::APPROVE, key, payload, at: now, due_at: now }).await?;
    }
    Ok(())
}
