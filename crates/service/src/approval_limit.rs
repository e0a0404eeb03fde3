//! A distributor's rule of two people: above so many points, two different ones approve a month.

use serde_json::json;
use tenure_core::{
    Points, Timestamp,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn, Queue,
    rows::{
        approval_limit::{self, LimitRow},
        month,
    },
};

use crate::{Actor, Error, ProblemKind, Result, Service, authorize::at_home, change, month::Who};

/// The rule as it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalLimit {
    /// More points than these take two people; none where one person approves whatever it is.
    pub above: Option<Points>,
    /// When and by whom it was set.
    pub set: Option<(Timestamp, Who)>,
}

async fn of_distributor(conn: &mut Conn, actor: &Actor, action: Action) -> Result<()> {
    if at_home(conn, actor, action).await? == OrgKind::Distributor {
        return Ok(());
    }
    Err(ProblemKind::Forbidden.because("the rule of two people is a distributor's").into())
}

/// The distributor's rule of two people.
pub async fn view_approval_limit(service: &Service, actor: &Actor) -> Result<ApprovalLimit> {
    let mut read = service.store().read().await?;
    of_distributor(&mut read, actor, Action::View).await?;
    let Some(row) = approval_limit::find(&mut read, actor.org).await? else {
        return Ok(ApprovalLimit { above: None, set: None });
    };
    let name = month::names(&mut read, &[row.by]).await?.pop().map(|(_, name)| name);
    let who = Who { id: row.by, name: name.unwrap_or_else(|| "somebody who left".to_owned()) };
    Ok(ApprovalLimit { above: Some(row.above), set: Some((row.at, who)) })
}

/// Sets the limit, or takes it away. For administrators: who approves must not lift the limit on themselves. It holds at once,
/// also for months that wait; everybody who decides is told.
pub async fn set_approval_limit(service: &Service, actor: &Actor, above: Option<Points>) -> Result<()> {
    if above.is_some_and(|above| above.as_milli() < 0) {
        return Err(ProblemKind::InvalidInput.because("the limit is a number of points, at least 0").into());
    }
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            of_distributor(tx, &actor, Action::ManagePeople).await?;
            let now = service_.now();
            let before = approval_limit::find(tx, actor.org).await?.map(|row| row.above);
            if before == above {
                return Ok(());
            }
            match above {
                Some(above) => {
                    let row = LimitRow { above, by: actor.principal(), at: now };
                    approval_limit::put(tx, actor.org, &row).await?;
                }
                None => approval_limit::delete(tx, actor.org).await?,
            }
            let words = |points: Option<Points>| points.map(|points| points.to_string());
            let body = json!({ "from": words(before), "above": words(above) });
            change::by(tx, &actor, actor.org, "approval_limit.set", actor.org.to_string(), now, body);
            Ok::<_, Error>(())
        })
        .await
}
