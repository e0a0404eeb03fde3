//! Moving a license to another company or site of the same provider ("Template, assignment, revocation").

use tenure_core::{
    CompanyId, Period, SiteId, Timestamp, assignment, assignment::Holding, expected::Life, roles::Action,
};
use tenure_store::{
    Queue, Tx,
    rows::{
        license::{self, LicenseRow},
        obligation::{self, CandidateRow},
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Idempotency, LicenseKey, ProblemKind, Result, Service,
    authorize::{at_provider, sees_site, site_for},
    change,
    idempotent::{self, Begun},
    issue,
    license_create::reachable_company,
    license_lock::{agreement_of, lock_mine},
    license_rules::{self, Facts},
};

/// Where a license is to go; what is none stays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LicenseMove {
    /// Another company of the provider; the license keeps its id and validity.
    pub company: Option<CompanyId>,
    /// Another site of the provider, or none of them.
    pub site: Option<Option<SiteId>>,
}

/// Moves a license of the actor's organization. It keeps its id and validity; a month stands whole under the company that
/// holds the license at the month's end.
pub async fn move_license(
    service: &Service,
    actor: &Actor,
    key: LicenseKey,
    to: LicenseMove,
    idempotency: Option<Idempotency>,
) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let begun: Begun<()> = idempotent::begin(tx, &actor, "license.move", idempotency.as_ref(), now).await?;
            let Begun::Do(remember) = begun else { return Ok(()) };
            go(service, tx, &actor, key, to, now).await?;
            idempotent::remember(tx, remember, &()).await
        })
        .await
}

/// The same in a transaction, for who may.
pub(crate) async fn go(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    key: LicenseKey,
    to: LicenseMove,
    now: Timestamp,
) -> Result<()> {
    let (mut template, license) = lock_mine(tx, actor, key).await?;
    if let Some(company) = to.company {
        may_hold(service, tx, actor, &template, company).await?;
    }
    if let Some(site) = to.site {
        template.site = reachable_site(tx, actor, site).await?;
        template::set_terms(tx, &template).await?;
    }
    let Some(row) = license else {
        moved(tx, actor, &template, None, now);
        return Ok(());
    };
    let target = LicenseRow { company: to.company.or(row.company), site: template.site, ..row.clone() };
    if target == row {
        return Ok(());
    }
    license::keep_before(tx, &row, now).await?;
    if target.company != row.company {
        owe_what_was(tx, &row, now).await?;
    }
    license::set_holder(tx, &target).await?;
    if target.company != row.company {
        obligation::set_holder(tx, row.provider, row.id, Period::of(now), target.company).await?;
        // The license names its company.
        issue::issue(service, tx, row.provider, row.id).await?;
    }
    moved(tx, actor, &template, Some((&row, &target)), now);
    Ok(())
}

async fn may_hold(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    template: &TemplateRow,
    company: CompanyId,
) -> Result<()> {
    let agreement = agreement_of(tx, template).await?;
    let holding = if template.license.is_some() { Holding::Assigned } else { Holding::Template };
    let facts = Facts::gather(service, tx, agreement, template.usage_type, holding, None).await?;
    // A company of another provider does not exist for this one.
    reachable_company(tx, actor, template.provider, company).await?;
    assignment::may_move(&facts.license, true).map_err(license_rules::refused)
}

/// A site to move to, within the actor's reach. Who is confined to a site takes nothing out of it.
async fn reachable_site(tx: &mut Tx, actor: &Actor, site: Option<SiteId>) -> Result<Option<SiteId>> {
    if !sees_site(actor, site) {
        return Err(ProblemKind::NotFound.because("there is no such site").into());
    }
    match site {
        Some(_) => site_for(tx, actor, actor.org, site).await,
        None => Ok(None),
    }
}

/// What ended before the move is owed by whoever held the license then, also where the job of the 1st is late.
async fn owe_what_was(tx: &mut Tx, row: &LicenseRow, now: Timestamp) -> Result<()> {
    let period = Period::of(now).prev();
    let candidates = obligation::candidates_of(tx, row.provider, row.id, period).await?;
    let expected = |one: &CandidateRow| Life { activated_at: one.activated, ended_at: one.retired }.is_expected(period);
    let owed: Vec<CandidateRow> = candidates.into_iter().filter(expected).collect();
    obligation::insert_many(tx, period, &owed).await?;
    Ok(())
}

fn moved(
    tx: &mut Tx,
    actor: &Actor,
    template: &TemplateRow,
    license: Option<(&LicenseRow, &LicenseRow)>,
    now: Timestamp,
) {
    let subject = template.license.map_or(template.id.to_string(), |id| id.to_string());
    let body = serde_json::json!({
        "template": template.id, "site": template.site,
        "from": license.and_then(|(from, _)| from.company), "company": license.and_then(|(_, to)| to.company),
    });
    change::by(tx, actor, template.provider, "license.moved", subject, now, body);
}
