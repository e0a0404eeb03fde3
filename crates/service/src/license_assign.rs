//! Assigning a template to a company: from then on it is a license with validity, and is owed ("Template, assignment,
//! revocation").

use tenure_core::{
    CompanyId, LicenseId, TemplateId, Timestamp, assignment, assignment::Holding, reporting, roles::Action,
    suspension::Wish,
};
use tenure_store::{
    Queue, Tx,
    rows::{
        agreement, product,
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site},
    idempotent::{self, Begun},
    license_create::{self, reachable_company},
    license_rules::{self, Facts},
};

/// Assigns a template of the actor's organization to one of its companies, or to the provider itself where the usage type
/// says so (after it was revoked); gives the new license.
pub async fn assign_license(
    service: &Service,
    actor: &Actor,
    template: TemplateId,
    company: Option<CompanyId>,
    idempotency: Option<Idempotency>,
) -> Result<LicenseId> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let remember = match idempotent::begin(tx, &actor, "license.assign", idempotency.as_ref(), now).await? {
                Begun::Done(license) => return Ok(license),
                Begun::Do(remember) => remember,
            };
            let row = template::lock(tx, actor.org, template).await?.filter(|row| sees_site(&actor, row.site));
            let row = row.ok_or(ProblemKind::NotFound)?;
            if let Some(company) = company {
                reachable_company(tx, &actor, actor.org, company).await?;
            }
            let license = assign(service, tx, &actor, &row, company, now).await?;
            idempotent::remember(tx, remember, &license).await?;
            Ok::<_, Error>(license)
        })
        .await
}

async fn assign(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    row: &TemplateRow,
    company: Option<CompanyId>,
    now: Timestamp,
) -> Result<LicenseId> {
    let agreement = agreement::find(tx, row.provider, row.agreement).await?;
    let agreement = agreement.ok_or(Error::Internal("a template of no agreement"))?;
    let holding = if row.license.is_some() { Holding::Assigned } else { Holding::Template };
    let holder = Some((company, row.product));
    let facts = Facts::gather(service, tx, agreement, row.usage_type, holding, holder).await?;
    facts.may(Wish::Assign)?;
    let product = product::find(tx, row.product).await?.ok_or(Error::Internal("a template of no product"))?;
    license_rules::still_licensed(&product)?;
    assignment::may_hold(row.usage_type, company.is_some()).map_err(license_rules::refused)?;
    let state = reporting::initial(row.automatic, &facts.toggle()).map_err(license_rules::toggle_refused)?;
    if !state.extends() && row.expires.is_none_or(|end| end <= now) {
        let words = "the template's expiration date is missing or has passed; create a new license";
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    license_create::assign(service, tx, actor, row, company, state, now).await
}
