//! The distributor's decision, and the vendor's: approve, reject, consent, close ("The monthly cycle"; F8).

use serde_json::json;
use tenure_core::{
    LineId, Weight,
    cycle::{self, FirstApproval, UsageEvent, UsageState},
    reported::UsageProgress,
    roles::{self, Action, OrgKind},
    suspension::SubmissionStanding,
};
use tenure_store::{
    Queue, Tx,
    jobs::{self, NewJob},
    rows::{
        approval_rule,
        correction::{self, CorrectionRow},
        hand_correction::{self, HandCorrectionRow},
        monthly_usage::{self, UsageRow},
        obligation,
        submission::{self, SubmissionRow},
    },
};

use crate::{
    Actor, ActorKind, Error, ProblemKind, Result, Service, change, checks, due, late,
    month::{LinesTag, Month},
    month_access::{MonthRef, lock, step},
    submit::{self, MAX_REASON},
    suspension,
};

/// What an approval did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Approval {
    /// It was the first of two people's: the month waits for another person.
    First,
    /// It closed the month.
    Closed,
}

/// Approves a submitted month, which closes it; above the distributor's limit the first of two people only notes that. Approving
/// again what is closed by approval changes nothing.
pub async fn approve_month(service: &Service, actor: &Actor, which: MonthRef, seen: LinesTag) -> Result<Approval> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (usage, kind) = lock(tx, &actor, which, Action::DecideUsage).await?;
            let last = submission::last(tx, usage.provider, usage.period).await?;
            let by_me = usage.decided_by == Some(actor.principal());
            if usage.state == UsageState::Closed && by_me && last.as_ref().is_some_and(|l| l.lines_hash == seen.hash) {
                return Ok(Approval::Closed);
            }
            let month = Month::load(service, tx, usage.clone(), service.now()).await?;
            if usage.state == UsageState::PendingDistributorReview {
                submit::must_be(tx, &month, &seen, service.now()).await?;
            }
            let mut facts = month.facts(service.now(), service.policy_of(month.head.period));
            facts.own_submission = own(&actor, last.as_ref());
            facts.first_approval = first(&actor, &usage);
            // Two people: no token is one.
            if facts.two_people && !matches!(actor.kind, ActorKind::Person(_)) {
                let words = "so many points take the approval of two people, and a token is none";
                return Err(ProblemKind::SecondPersonMissing.because(words).into());
            }
            let event = cycle::approval(&facts);
            let state = step(&actor, kind, usage.state, event, &facts)?;
            if event == UsageEvent::ApproveFirst {
                note_first(service, tx, &actor, usage, &month).await?;
                return Ok(Approval::First);
            }
            close(service, tx, &actor, usage, state, &month, "usage.approved", "").await?;
            Ok(Approval::Closed)
        })
        .await
}

/// Who approved first, as the one sees it who decides now.
fn first(actor: &Actor, usage: &UsageRow) -> FirstApproval {
    match usage.approved_by {
        None => FirstApproval::Missing,
        Some(by) if by == actor.principal() => FirstApproval::Own,
        Some(_) => FirstApproval::Others,
    }
}

/// Notes the first of two approvals; the month waits on.
async fn note_first(service: &Service, tx: &mut Tx, actor: &Actor, mut usage: UsageRow, month: &Month) -> Result<()> {
    let now = service.now();
    usage.approved = Some(now);
    usage.approved_by = Some(actor.principal());
    monthly_usage::update(tx, &usage).await?;
    let body = json!({
        "period": usage.period, "lines": tenure_store::hex(&month.tag.hash), "total": month.totals.total.to_string(),
    });
    let subject = usage.id.to_string();
    change::by(tx, actor, usage.provider, "usage.approved_first", subject.clone(), now, body.clone());
    change::tell(tx, usage.distributor, "usage.approved_first", subject, now, body);
    Ok(())
}

/// Approves for a distributor whose rule is on, when nothing is flagged and nothing far lowered; else leaves it.
pub(crate) async fn approve_by_rule(service: &Service, tx: &mut Tx, usage: UsageRow) -> Result<()> {
    if approval_rule::find(tx, usage.distributor).await?.is_none() {
        return Ok(());
    }
    let actor = due::time("approval_rule", usage.provider);
    let month = Month::load(service, tx, usage.clone(), service.now()).await?;
    let facts = month.facts(service.now(), service.policy_of(month.head.period));
    match step(&actor, OrgKind::Distributor, usage.state, UsageEvent::ApproveByRule, &facts) {
        Ok(state) => close(service, tx, &actor, usage, state, &month, "usage.approved", "").await,
        // Decided before anything was written: a person has to look at it.
        Err(Error::Problem(_)) => Ok(()),
        Err(error) => Err(error),
    }
}

/// Rejects a submitted month, with a reason: it is open for changes again.
pub async fn reject_month(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    seen: LinesTag,
    reason: String,
) -> Result<()> {
    checks::text("reason", &reason, MAX_REASON)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            let (mut usage, kind) = lock(tx, &actor, which, Action::DecideUsage).await?;
            let last = submission::last(tx, usage.provider, usage.period).await?;
            let facts = cycle::UsageFacts {
                reason_given: !reason.trim().is_empty(),
                own_submission: own(&actor, last.as_ref()),
                ..Default::default()
            };
            let state = step(&actor, kind, usage.state, UsageEvent::Reject, &facts)?;
            let month = Month::load(service, tx, usage.clone(), now).await?;
            submit::must_be(tx, &month, &seen, now).await?;
            usage.state = state;
            usage.decided = Some(now);
            usage.decided_by = Some(actor.principal());
            reason.trim().clone_into(&mut usage.reason);
            usage.vendor = None;
            usage.vendor_by = None;
            usage.approved = None;
            usage.approved_by = None;
            usage.presumed = None;
            usage.changed = now;
            monthly_usage::update(tx, &usage).await?;
            obligation::reopen(tx, usage.provider, usage.period, "submitted").await?;
            let reports = late::take_in(service, tx, &usage).await?;
            let body = json!({ "period": usage.period, "reason": usage.reason, "reports_taken_in": reports });
            change::by(tx, &actor, usage.provider, "usage.rejected", usage.id.to_string(), now, body);
            let lapses = SubmissionStanding::Rejected(now).counts_until(service.policy_of(usage.period)).unwrap_or(now);
            let payload = json!({ "provider": usage.provider });
            let key = format!("{}/{}", usage.id, usage.submissions);
            jobs::enqueue(tx, NewJob { kind: due::LAPSE, key, payload, at: now, due_at: lapses }).await?;
            suspension::refresh(service, tx, usage.provider).await
        })
        .await
}

/// The vendor's consent to figures that were lowered beyond the threshold; the distributor decides all the same.
pub async fn consent_to_month(service: &Service, actor: &Actor, which: MonthRef, seen: LinesTag) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            let (mut usage, _) = lock(tx, &actor, which, Action::OverrideUsage).await?;
            if usage.state != UsageState::PendingDistributorReview {
                let words = "only a submitted month can be consented to";
                return Err(ProblemKind::MonthState.because(words).into());
            }
            let month = Month::load(service, tx, usage.clone(), now).await?;
            submit::must_be(tx, &month, &seen, now).await?;
            if usage.vendor.is_some() {
                return Ok(());
            }
            usage.vendor = Some(now);
            usage.vendor_by = Some(actor.principal());
            monthly_usage::update(tx, &usage).await?;
            let body = json!({
                "period": usage.period, "reported": month.totals.reported.to_string(),
                "products": month.products_total.to_string(),
            });
            let subject = usage.id.to_string();
            change::by(tx, &actor, usage.provider, "usage.consented", subject.clone(), now, body.clone());
            change::tell(tx, usage.distributor, "usage.consented", subject, now, body);
            Ok(())
        })
        .await
}

/// Closes a month for the vendor, whatever its state, with a reason.
pub async fn close_month(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    seen: LinesTag,
    reason: String,
) -> Result<()> {
    checks::text("reason", &reason, MAX_REASON)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (mut usage, kind) = lock(tx, &actor, which, Action::OverrideUsage).await?;
            let month = Month::load(service, tx, usage.clone(), service.now()).await?;
            let mut facts = month.facts(service.now(), service.policy_of(month.head.period));
            facts.reason_given = !reason.trim().is_empty();
            let state = step(&actor, kind, usage.state, UsageEvent::Close, &facts)?;
            submit::must_be(tx, &month, &seen, service.now()).await?;
            if !usage.state.is_submitted() {
                // Nobody signed these lines before: the vendor does.
                usage.submitted = Some(service.now());
                usage.submitted_by = Some(actor.principal());
                usage.submissions += 1;
                submit::sign(service, tx, &actor, &usage, &month, UsageProgress::Closed).await?;
                obligation::resolve(tx, usage.provider, usage.period, service.now(), "closed").await?;
            }
            close(service, tx, &actor, usage, state, &month, "usage.closed", reason.trim()).await
        })
        .await
}

/// What every way to Closed does.
#[expect(clippy::too_many_arguments, reason = "one step of one transaction: who, what, from what, and in which words")]
async fn close(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    mut usage: UsageRow,
    state: UsageState,
    month: &Month,
    verb: &'static str,
    reason: &str,
) -> Result<()> {
    let now = service.now();
    usage.state = state;
    usage.decided = Some(now);
    usage.decided_by = Some(actor.principal());
    usage.closed = Some(now);
    reason.clone_into(&mut usage.reason);
    usage.changed = now;
    monthly_usage::update(tx, &usage).await?;
    let corrected = late::correct_kept(service, tx, &usage).await?;
    carry(service, tx, &usage, month).await?;
    let body = json!({
        "period": usage.period, "lines": tenure_store::hex(&month.tag.hash), "total": month.totals.total.to_string(),
        "reason": reason, "corrections": corrected,
    });
    let subject = usage.id.to_string();
    change::by(tx, actor, usage.provider, verb, subject.clone(), now, body.clone());
    if actor.org != usage.distributor {
        change::tell(tx, usage.distributor, verb, subject, now, body);
    }
    due::extend(service, tx, &usage, due::Cause::Closing).await?;
    suspension::refresh(service, tx, usage.provider).await
}

/// Whether who decides is who submitted (F8).
fn own(actor: &Actor, last: Option<&SubmissionRow>) -> bool {
    last.is_some_and(|last| !roles::may_decide(last.by, last.by_org, actor.principal(), actor.org))
}

/// What of negative corrections did not fit into this month goes to the next open one ("Adjustments, revisions,
/// corrections").
async fn carry(service: &Service, tx: &mut Tx, usage: &UsageRow, month: &Month) -> Result<()> {
    if month.carried.as_milli() == 0 {
        return Ok(());
    }
    let (now, provider) = (service.now(), usage.provider);
    let period = late::target(tx, provider, usage.period).await?;
    // Points only: what is left need not be a whole number of units any more.
    let (delta, at) = (-1, now);
    for row in correction::billed_in(tx, provider, usage.period).await? {
        let Some(weight) = rest(month, row.id, row.delta, row.weight)? else { continue };
        let id = LineId::generate(now, service.rng());
        let (workload, variant) = (String::new(), String::new());
        let carried = CorrectionRow { id, period, workload, variant, delta, weight, at, ..row };
        correction::insert(tx, provider, &carried).await?;
    }
    for row in hand_correction::billed_in(tx, provider, usage.period).await? {
        let Some(weight) = rest(month, row.id, row.delta, row.weight)? else { continue };
        let id = LineId::generate(now, service.rng());
        let (workload, variant) = (String::new(), String::new());
        let carried = HandCorrectionRow { id, period, workload, variant, delta, weight, at, ..row };
        hand_correction::insert(tx, provider, &carried).await?;
    }
    Ok(())
}

/// What of a correction a month did not take, as the weight of one unit less; none when it took all.
fn rest(month: &Month, id: LineId, delta: i64, weight: Weight) -> Result<Option<Weight>> {
    let line = month.lines.iter().find(|line| line.own == Some(id));
    let line = line.ok_or(Error::Internal("a correction without its line"))?;
    let rest = tenure_core::line::points(delta, Some(weight)) - line.points;
    Ok(Weight::from_milli(-rest.as_milli()).filter(|weight| weight.as_milli() > 0))
}
