//! Editing a license: the provider's own words, what it licenses, and its last day where a person chose it.

use tenure_core::{
    Day, Period, Points, Timestamp,
    assignment::{Holding, is_upward_edit},
    roles::Action,
    suspension::Wish,
    validity::explicit_expiry,
};
use tenure_store::{
    Queue, Tx,
    rows::{
        license::{self, LicenseRow},
        product::{self, Weights},
        template::{self, TemplateRow, WorkloadCount},
    },
};

use crate::{
    Actor, Error, Idempotency, LicenseKey, ProblemKind, Result, Service, agreements,
    authorize::at_provider,
    change, checks,
    idempotent::{self, Begun},
    issue,
    license_create::MAX_DESCRIPTION,
    license_lock::{agreement_of, lock_mine},
    license_rules::{self, Facts},
};

/// What is to be changed; what is none stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LicenseEdit {
    /// The provider's own words.
    pub description: Option<String>,
    /// What it licenses; the points follow from it.
    pub workloads: Option<Vec<WorkloadCount>>,
    /// Its last day, where reports do not extend it.
    pub last_day: Option<Day>,
}

/// Edits a license of the actor's organization. Other workloads or another end make a new serial on each of its servers;
/// *Licensed* of a month shows what stood at its end ("Template, assignment, revocation").
pub async fn edit_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    edit: LicenseEdit,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    checks::text("description", edit.description.as_deref().unwrap_or_default(), MAX_DESCRIPTION)?;
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun: Begun<()> = idempotent::begin(tx, &actor, "license.edit", idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            change(service, tx, &actor, key, &edit, now).await?;
            idempotent::remember(tx, remember, &()).await
        })
        .await
}

async fn change(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    key: LicenseKey,
    edit: &LicenseEdit,
    now: Timestamp,
) -> Result<()> {
    let (mut template, license) = lock_mine(tx, actor, key).await?;
    let agreement = agreement_of(tx, &template).await?;
    let end = agreements::terms(&agreement).end();
    let holding = if license.is_some() { Holding::Assigned } else { Holding::Template };
    let facts = Facts::gather(service, tx, agreement, template.usage_type, holding, None).await?;
    let before = template.clone();
    if let Some(description) = &edit.description {
        description.trim().clone_into(&mut template.description);
    }
    if let Some(workloads) = &edit.workloads {
        let known = product::workloads(tx, template.product).await?;
        template.workloads = license_rules::workloads(&known, workloads.clone())?;
    }
    if let Some(last_day) = edit.last_day {
        let automatic = license.as_ref().map_or(template.automatic, |row| row.reporting.extends());
        template.expires = Some(chosen_end(last_day, automatic, end, now)?);
    }
    let reached = license.as_ref().and_then(|row| row.expires).or(before.expires);
    let longer = edit.last_day.is_some() && reached.is_some_and(|reached| template.expires > Some(reached));
    let weights = product::weights(tx, template.product, Period::of(now)).await?;
    let upward = longer || is_upward(&before.workloads, &template.workloads, &weights)?;
    facts.may(if upward { Wish::EditUp } else { Wish::EditDown })?;
    if template == before {
        return Ok(());
    }
    template::set_terms(tx, &template).await?;
    if let Some(row) = license {
        change_license(service, tx, &row, &template, edit, now).await?;
    }
    let subject = template.license.map_or(template.id.to_string(), |id| id.to_string());
    let body = serde_json::json!({
        "template": template.id, "description": template.description, "before": before.workloads,
        "workloads": template.workloads, "expires": template.expires,
    });
    change::by(tx, actor, template.provider, "license.edited", subject, now, body);
    Ok(())
}

/// The end a person chose. What reports extend has no chosen end.
fn chosen_end(last_day: Day, automatic: bool, agreement_end: Timestamp, now: Timestamp) -> Result<Timestamp> {
    if automatic {
        let words = "expires_on cannot be set: the reported months decide when this license ends";
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    explicit_expiry(last_day, Some(agreement_end), now)
        .map_err(|refusal| ProblemKind::InvalidInput.because(format!("expires_on: {refusal}")).into())
}

/// Whether a count or the points grow.
fn is_upward(before: &[WorkloadCount], after: &[WorkloadCount], weights: &Weights) -> Result<bool> {
    let count = |of: &[WorkloadCount], like: &WorkloadCount| {
        let same = |each: &&WorkloadCount| (&each.workload, &each.variant) == (&like.workload, &like.variant);
        of.iter().find(same).map_or(0, |each| each.count)
    };
    let points = |of: &[WorkloadCount]| -> Result<Points> { license_rules::points(of, weights) };
    Ok(points(after)? > points(before)? || is_upward_edit(after.iter().map(|each| (count(before, each), each.count))))
}

async fn change_license(
    service: &Service,
    tx: &mut Tx,
    row: &LicenseRow,
    template: &TemplateRow,
    edit: &LicenseEdit,
    now: Timestamp,
) -> Result<()> {
    let changed = LicenseRow {
        description: template.description.clone(),
        workloads: template.workloads.clone(),
        expires: if edit.last_day.is_some() { template.expires } else { row.expires },
        ..row.clone()
    };
    if changed.workloads != row.workloads {
        license::keep_before(tx, row, now).await?;
    }
    license::set_terms(tx, &changed, now).await?;
    if changed.workloads != row.workloads || changed.expires != row.expires {
        issue::issue(service, tx, row.provider, row.id).await?;
    }
    Ok::<_, Error>(())
}
