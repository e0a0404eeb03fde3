//! A distributor's rule: the server approves a submitted month when nothing is flagged ("The monthly cycle").

use serde_json::json;
use tenure_core::{
    Timestamp,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue,
    rows::{approval_rule, month},
};

use crate::{Actor, ProblemKind, Result, Service, authorize::at_home, change, month::Who};

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
