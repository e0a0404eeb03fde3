//! The shadow month: a whole period is collected and shown beside the manual figure, which counts; on the 1st after it
//! automatic reporting is switched on ("Automatic reporting").

use tenure_core::{
    Period, Timestamp,
    assignment::Holding,
    reporting::{ShadowMonth, ShadowPhase, ShadowRefusal, may_shadow},
    roles::Action,
    suspension::Wish,
};
use tenure_store::{
    Queue, Tx,
    jobs::{self, NewJob},
    rows::license::{self, LicenseRow},
};

use crate::{
    Actor, Error, LicenseKey, ProblemKind, Result, Service,
    authorize::at_provider,
    change, due, issue,
    license_lock::{agreement_of, lock_mine},
    license_rules::{self, Facts},
    license_toggle,
};

/// Gives a license of the actor's organization a shadow month, the next whole one, or takes it back; says which month.
/// Its servers learn so from a new license.
pub async fn set_shadow_month(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    wanted: bool,
) -> Result<Option<Period>> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let (template, license) = lock_mine(tx, &actor, key).await?;
            let not_assigned = tenure_core::assignment::LicenseRefusal::NotAssigned;
            let row = license.ok_or_else(|| license_rules::refused(not_assigned))?;
            if !wanted {
                return cancel(service, tx, &actor, &row, now).await;
            }
            if let Some(period) = running(&row, now) {
                return Ok(Some(period));
            }
            let agreement = agreement_of(tx, &template).await?;
            let facts = Facts::gather(service, tx, agreement, template.usage_type, Holding::Assigned, None).await?;
            facts.may(Wish::Toggle)?;
            license_toggle::reports(tx, &template).await?;
            may_shadow(row.reporting, &facts.toggle()).map_err(refused)?;
            let shadow = ShadowMonth::after(now);
            license::set_shadow(tx, row.provider, row.id, Some(shadow.period)).await?;
            issue::issue(service, tx, row.provider, row.id).await?;
            let key = format!("{}/{}/{}", row.id, shadow.period, now.as_micros());
            let payload = serde_json::json!({ "provider": row.provider, "license": row.id, "period": shadow.period });
            let due_at = shadow.switches_at();
            jobs::enqueue(tx, NewJob { kind: due::SHADOW, key, payload, at: now, due_at }).await?;
            let body = serde_json::json!({ "period": shadow.period });
            change::by(tx, &actor, row.provider, "license.shadow_month", row.id.to_string(), now, body);
            Ok::<_, Error>(Some(shadow.period))
        })
        .await
}

/// The shadow month that is ahead or collected.
pub(crate) fn running(row: &LicenseRow, now: Timestamp) -> Option<Period> {
    row.shadow.filter(|period| ShadowMonth { period: *period }.phase(now) != ShadowPhase::Over)
}

fn refused(refusal: ShadowRefusal) -> Error {
    match refusal {
        ShadowRefusal::NotByHand => ProblemKind::ReportingFixed.because(refusal.to_string()).into(),
        ShadowRefusal::Toggle(refusal) => license_rules::toggle_refused(refusal),
    }
}

async fn cancel(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    row: &LicenseRow,
    now: Timestamp,
) -> Result<Option<Period>> {
    // One that is over stays: its month is still reviewed with the manual figure.
    let Some(period) = running(row, now) else { return Ok(None) };
    license::set_shadow(tx, row.provider, row.id, None).await?;
    issue::issue(service, tx, row.provider, row.id).await?;
    let body = serde_json::json!({ "period": period });
    change::by(tx, actor, row.provider, "license.shadow_month_cancelled", row.id.to_string(), now, body);
    Ok(None)
}

/// The 1st after a shadow month: the license is switched on, if it still may be.
pub(crate) async fn end(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    license: tenure_core::LicenseId,
    period: Period,
) -> Result<()> {
    let now = service.now();
    let Some((template, Some(row))) = LicenseKey::License(license).lock(tx, actor.org).await? else { return Ok(()) };
    if row.shadow != Some(period) || row.reporting.extends() {
        return Ok(());
    }
    let agreement = agreement_of(tx, &template).await?;
    let facts = Facts::gather(service, tx, agreement, template.usage_type, Holding::Assigned, None).await?;
    let refusal = facts.may(Wish::Toggle).err().or(may_shadow(row.reporting, &facts.toggle()).map_err(refused).err());
    if let Some(refusal) = refusal {
        let body = serde_json::json!({ "period": period, "why": refusal.problem().to_string() });
        change::by(tx, actor, row.provider, "license.shadow_month_without_switch", row.id.to_string(), now, body);
        return Ok(());
    }
    license_toggle::switch_license(service, tx, actor, row, true, &facts, now).await?;
    Ok(())
}
