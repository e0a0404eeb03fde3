//! What every page says beside its own matter: how much waits, and whether the provider is suspended. Cheap, for it is
//! asked with every page; *My Actions* says what it is.

use tenure_core::{
    OrgId, Period, Timestamp,
    cycle::UsageState,
    roles::{Action, OrgKind},
};
use tenure_store::{
    Conn,
    rows::{monthly_usage, site_part},
};

use crate::{Actor, Result, Service, authorize::at_home, suspension};

/// More is shown as this many.
const MAX_WAITING: i64 = 500;

/// What wants the actor's attention.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attention {
    /// How many months wait for the actor.
    pub waiting: usize,
    /// Of a suspended provider: the months past their deadline that are not submitted, oldest first. Empty when it is not
    /// suspended.
    pub suspended_by: Vec<Period>,
}

/// What wants the actor's attention now.
pub async fn view_attention(service: &Service, actor: &Actor) -> Result<Attention> {
    let mut read = service.store().peek().await?;
    match at_home(&mut read, actor, Action::View).await? {
        OrgKind::Provider => of_provider(service, &mut read, actor).await,
        OrgKind::Distributor => {
            let first = (Period::of(Timestamp::EPOCH), OrgId::from_uuid(uuid::Uuid::nil()));
            let waiting = monthly_usage::waiting(&mut read, Some(actor.org), first, MAX_WAITING).await?;
            Ok(Attention { waiting: waiting.len(), suspended_by: Vec::new() })
        }
        OrgKind::Vendor => Ok(Attention::default()),
    }
}

async fn of_provider(service: &Service, conn: &mut Conn, actor: &Actor) -> Result<Attention> {
    let (now, provider) = (service.now(), actor.org);
    let kept = i64::from(service.policy().max_correction_months) + 1;
    let mut open = monthly_usage::of_provider(conn, provider, Period::of(now), kept).await?;
    open.retain(|row| !row.state.is_submitted());
    let mut suspended_by = Vec::new();
    if suspension::suspended(service, conn, provider, now).await? {
        suspended_by = open.iter().rev().filter(|row| now >= row.due).map(|row| row.period).collect();
    }
    let mut waiting = 0;
    for row in open {
        waiting += match actor.site {
            None => 1,
            Some(site) if row.state == UsageState::PendingSiteReview => {
                let parts = site_part::of_month(conn, provider, row.period).await?;
                usize::from(parts.iter().any(|part| part.site == site && part.submitted.is_none()))
            }
            Some(_) => 0,
        };
    }
    Ok(Attention { waiting, suspended_by })
}
