//! Turning automatic reporting on and off ("Automatic reporting").

use tenure_core::{
    Timestamp,
    assignment::Holding,
    reporting::{self, AutomaticReporting},
    roles::Action,
    suspension::Wish,
};
use tenure_store::{
    Queue, Tx,
    rows::{
        license::{self, LicenseRow},
        product,
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Error, Idempotency, LicenseKey, ProblemKind, Result, Service,
    authorize::at_provider,
    change,
    idempotent::{self, Begun},
    issue,
    license_lock::{agreement_of, lock_mine},
    license_rules::{self, Facts},
    reporting_switch,
};

/// Turns automatic reporting of a license of the actor's organization on or off; gives where it stands then. For a
/// template, it is what the next assignment starts with.
///
/// On begins to count validity from the first time it was ever on; off keeps the date that is reached. Either way each
/// server gets a new license, and the switch is complete when all have shown it.
pub async fn switch_reporting(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    on: bool,
    idempotency: Option<Idempotency>,
) -> Result<AutomaticReporting> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let remember = match idempotent::begin(tx, &actor, "license.switch", idempotency.as_ref(), now).await? {
                Begun::Done(state) => return Ok(state),
                Begun::Do(remember) => remember,
            };
            let state = switch(service, tx, &actor, key, on, now).await?;
            idempotent::remember(tx, remember, &state).await?;
            Ok::<_, Error>(state)
        })
        .await
}

async fn switch(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    key: LicenseKey,
    on: bool,
    now: Timestamp,
) -> Result<AutomaticReporting> {
    let (template, license) = lock_mine(tx, actor, key).await?;
    let agreement = agreement_of(tx, &template).await?;
    let facts = Facts::gather(service, tx, agreement, template.usage_type, Holding::Assigned, None).await?;
    facts.may(Wish::Toggle)?;
    if on {
        reports(tx, &template).await?;
    }
    match license {
        None => switch_template(tx, actor, &template, on, &facts, now).await,
        Some(license) => switch_license(service, tx, actor, license, on, &facts, now).await,
    }
}

/// Whether the template's product reports by itself.
pub(crate) async fn reports(tx: &mut Tx, template: &TemplateRow) -> Result<()> {
    let product = product::find(tx, template.product).await?.ok_or(Error::Internal("a template of no product"))?;
    if product.reports {
        return Ok(());
    }
    let words = "this product does not report by itself; its usage is entered by hand";
    Err(ProblemKind::ReportingFixed.because(words).into())
}

async fn switch_template(
    tx: &mut Tx,
    actor: &Actor,
    row: &TemplateRow,
    on: bool,
    facts: &Facts,
    now: Timestamp,
) -> Result<AutomaticReporting> {
    let fixed = reporting::initial(false, &facts.toggle()).map_err(license_rules::toggle_refused)?;
    let from = if fixed == AutomaticReporting::Off && row.automatic { AutomaticReporting::On } else { fixed };
    let wanted = reporting::toggle(from, on, &facts.toggle()).map_err(license_rules::toggle_refused)?;
    if !on && row.expires.is_none() && !wanted.extends() {
        let words = "a license that is not automatically reported needs an expiration date; create a new one";
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    if wanted.is_switching() {
        template::set_automatic(tx, row.provider, row.id, on).await?;
        let body = serde_json::json!({ "automatic": on });
        change::by(tx, actor, row.provider, "license.template_switched", row.id.to_string(), now, body);
    }
    // Without an installation a switch is complete at once.
    Ok(match wanted {
        AutomaticReporting::SwitchingToOn => AutomaticReporting::On,
        AutomaticReporting::SwitchingToOff => AutomaticReporting::Off,
        settled => settled,
    })
}

/// Switches an assigned license, whose rows are locked.
pub(crate) async fn switch_license(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    row: LicenseRow,
    on: bool,
    facts: &Facts,
    now: Timestamp,
) -> Result<AutomaticReporting> {
    let next = reporting::toggle(row.reporting, on, &facts.toggle()).map_err(license_rules::toggle_refused)?;
    if next == row.reporting {
        return Ok(next);
    }
    let (provider, id) = (row.provider, row.id);
    // On to Off keeps the date that is reached as the explicit one; the first anchor stays for ever.
    let reached = reached(service, tx, &row, now).await?;
    let changed = LicenseRow {
        reporting: next,
        anchor: if next.extends() { Some(reporting::anchor(row.anchor, now.floor_to_second())) } else { row.anchor },
        expires: if next.extends() { row.expires } else { Some(reached) },
        switched_with: issue::next_serial(service, &row),
        ..row.clone()
    };
    license::set_reporting(tx, &changed, now).await?;
    issue::issue(service, tx, provider, id).await?;
    let body = serde_json::json!({
        "from": row.reporting, "to": next, "serial": changed.switched_with.serial, "anchor": changed.anchor,
        "expires": changed.expires,
    });
    change::by(tx, actor, provider, "license.reporting_switched", id.to_string(), now, body);
    reporting_switch::complete_if_shown(service, tx, provider, id).await?;
    let now_it_is = license::find(tx, provider, id).await?.ok_or(Error::Internal("a license is gone"))?;
    Ok(now_it_is.reporting)
}

/// The end of validity that a license has reached.
pub(crate) async fn reached(service: &Service, tx: &mut Tx, row: &LicenseRow, now: Timestamp) -> Result<Timestamp> {
    let period = tenure_core::Period::of(now);
    let around = issue::Around::of(tx, row.provider, std::slice::from_ref(row), period).await?;
    around.expires_at(service, row)
}
