//! A distributor's rule: the server approves a submitted month when nothing is flagged ("The monthly cycle").

use serde_json::json;
use tenure_core::{
    Period, Timestamp,
    cycle::{self, UsageEvent, UsageFacts, UsageRefusal, UsageState},
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue,
    rows::{approval_rule, month},
};

use crate::{
    Actor, MAX_PAGE, MonthSummary, Paging, ProblemKind, Result, Service, SubmissionSummary, authorize::at_home, change,
    list_months, month::Who,
};

/// Whether the rule is on, and since when and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalRule {
    /// Who turned it on and when; none while it is off.
    pub on: Option<(Timestamp, Who)>,
}

async fn of_distributor(conn: &mut Conn, actor: &Actor, action: Action) -> Result<()> {
    if at_home(conn, actor, action).await? == OrgKind::Distributor {
        return Ok(());
    }
    Err(ProblemKind::Forbidden.because("the rule is a distributor's").into())
}

/// The distributor's rule.
pub async fn view_approval_rule(service: &Service, actor: &Actor) -> Result<ApprovalRule> {
    let mut read = service.store().read().await?;
    of_distributor(&mut read, actor, Action::View).await?;
    let Some(row) = approval_rule::find(&mut read, actor.org).await? else { return Ok(ApprovalRule { on: None }) };
    let name = month::names(&mut read, &[row.by]).await?.pop().map(|(_, name)| name);
    let who = Who { id: row.by, name: name.unwrap_or_else(|| "somebody who left".to_owned()) };
    Ok(ApprovalRule { on: Some((row.at, who)) })
}

/// Turns the rule on or off. It decides months that are submitted from then on; those that wait are left to people.
pub async fn set_approval_rule(service: &Service, actor: &Actor, on: bool) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            of_distributor(tx, &actor, Action::DecideUsage).await?;
            let now = service_.now();
            let changed = if on {
                approval_rule::insert(tx, actor.org, actor.principal(), now).await?
            } else {
                approval_rule::delete(tx, actor.org).await?
            };
            if changed {
                let subject = actor.org.to_string();
                change::by(tx, &actor, actor.org, "approval_rule.set", subject, now, json!({ "on": on }));
            }
            Ok(())
        })
        .await
}

/// Months that a dry run looks back.
const DRY_RUN_MONTHS: i32 = 6;
/// Most months that a dry run looks at.
const MAX_DRY_RUN: usize = 2_000;

/// What the rule would have done with a submitted month.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DryRun {
    /// The month.
    pub month: MonthSummary,
    /// Why a person would have had to look at it; none where the rule would have approved it.
    pub left: Option<UsageRefusal>,
}

/// What the rule would have done with the newest submission of each month of the last six, newest first.
pub async fn dry_run_rule(service: &Service, actor: &Actor) -> Result<Vec<DryRun>> {
    let mut read = service.store().read().await?;
    of_distributor(&mut read, actor, Action::View).await?;
    drop(read);
    let mut oldest = Period::of(service.now());
    for _ in 0..DRY_RUN_MONTHS {
        oldest = oldest.prev();
    }
    let (mut found, mut cursor) = (Vec::new(), None);
    loop {
        let page = list_months(service, actor, &Paging { cursor, limit: Some(MAX_PAGE) }).await?;
        let is_past = page.items.last().is_none_or(|last| last.period < oldest);
        let seen = page.items.into_iter().filter(|month| month.period >= oldest);
        found.extend(seen.filter_map(|month| Some(DryRun { left: left(&month.submitted?), month })));
        cursor = page.next;
        if cursor.is_none() || is_past || found.len() >= MAX_DRY_RUN {
            return Ok(found);
        }
    }
}

/// Asks the table that the rule itself asks ("The monthly cycle").
fn left(submitted: &SubmissionSummary) -> Option<UsageRefusal> {
    let facts = UsageFacts {
        flagged: submitted.flagged,
        vendor_consent_missing: submitted.lowered,
        two_people: submitted.takes_two,
        ..UsageFacts::default()
    };
    let rule = (UsageEvent::ApproveByRule, cycle::Actor::Server);
    cycle::step(UsageState::PendingDistributorReview, rule.0, rule.1, &facts).err()
}
