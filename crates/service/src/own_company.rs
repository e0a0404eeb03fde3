//! What a company's viewer sees: its own company's licenses and usage, and nothing else of the provider.
//!
//! Points and prices are between the provider and its distributor, so they are not here.

use tenure_core::{CompanyId, OrgId, Period, cycle::UsageState, line::Source, roles::Role};
pub use tenure_store::rows::company_viewer::ViewerRow;
use tenure_store::{
    Conn,
    rows::{
        company::{self, CompanyRow},
        company_viewer, monthly_usage, org,
    },
};

use crate::{
    Actor, ActorKind, CreatedPerson, Error, Idempotency, LicenseView, NewPerson, ProblemKind, Result, Service,
    authorize::at_provider,
    license_view,
    month::{Line, Month},
    people,
};

/// Most viewers of one company that are listed.
const MAX_VIEWERS: u32 = 200;
/// How often a company can have been merged into another before the trail is lost.
const MAX_MERGES: usize = 16;

/// A viewer's own company.
#[derive(Debug, Clone)]
pub struct OwnCompany {
    /// The company.
    pub company: CompanyRow,
    /// The provider's name.
    pub provider: String,
    /// Its licenses, newest first, at most 200.
    pub licenses: Vec<LicenseView>,
    /// The provider's months, newest first, as far back as they are corrected.
    pub months: Vec<(Period, UsageState)>,
}

/// A company's usage of a month.
#[derive(Debug, Clone)]
pub struct OwnUsage {
    /// The company.
    pub company: CompanyRow,
    /// The month.
    pub period: Period,
    /// It is closed: the figures stay.
    pub is_closed: bool,
    /// The company's own lines.
    pub lines: Vec<Line>,
}

/// Adds a viewer of a company, with a password made here; by an administrator of the provider.
pub async fn create_viewer(
    service: &Service,
    actor: &Actor,
    company: CompanyId,
    email: String,
    name: String,
    idempotency: Option<Idempotency>,
) -> Result<CreatedPerson> {
    let input = NewPerson { org: actor.org, email, name, role: Role::CompanyViewer, site: None };
    people::add(service, actor, input, Some(company), idempotency).await
}

/// A company's viewers in the order they were added, at most 200; for who manages the provider's people.
pub async fn list_viewers(service: &Service, actor: &Actor, company: CompanyId) -> Result<Vec<ViewerRow>> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, tenure_core::roles::Action::ManagePeople).await?;
    company::find(&mut read, actor.org, company).await?.ok_or(ProblemKind::NotFound)?;
    Ok(company_viewer::of_company(&mut read, actor.org, company, MAX_VIEWERS).await?)
}

/// The viewer's own company, with its licenses.
pub async fn view_own_company(service: &Service, actor: &Actor) -> Result<OwnCompany> {
    let mut read = service.store().read().await?;
    let company = own(&mut read, actor).await?;
    let provider = org::find(&mut read, actor.org).await?.ok_or(Error::Internal("a viewer of no provider"))?;
    let licenses = license_view::of_company(service, &mut read, actor.org, company.id).await?;
    let limit = i64::from(service.policy().max_correction_months) + 1;
    let months = monthly_usage::of_provider(&mut read, actor.org, Period::of(service.now()), limit).await?;
    let months = months.into_iter().map(|row| (row.period, row.state)).collect();
    Ok(OwnCompany { company, provider: provider.name, licenses, months })
}

/// What the viewer's own company used in a month.
pub async fn view_own_usage(service: &Service, actor: &Actor, period: Period) -> Result<OwnUsage> {
    let mut read = service.store().read().await?;
    let company = own(&mut read, actor).await?;
    let row = monthly_usage::find(&mut read, actor.org, period).await?.ok_or(ProblemKind::NotFound)?;
    let month = Month::load(service, &mut read, row, service.now()).await?;
    let is_closed = month.head.state == UsageState::Closed;
    let is_own = |line: &Line| {
        let of_it = line.company.as_ref().is_some_and(|holder| holder.id == company.id);
        of_it && !matches!(line.source, Source::NotInstalled | Source::Replaced)
    };
    let lines = month.lines.into_iter().filter(is_own).collect();
    Ok(OwnUsage { company, period, is_closed, lines })
}

/// The company that the actor is confined to; where it was merged into another, that one.
async fn own(conn: &mut Conn, actor: &Actor) -> Result<CompanyRow> {
    if actor.role != Role::CompanyViewer {
        return Err(ProblemKind::Forbidden.into());
    }
    let ActorKind::Person(person) = actor.kind else { return Err(ProblemKind::NotFound.into()) };
    let found = company_viewer::of_person(conn, person).await?.filter(|(provider, _)| *provider == actor.org);
    let (provider, mut id): (OrgId, CompanyId) = found.ok_or(ProblemKind::NotFound)?;
    for _ in 0..MAX_MERGES {
        let row = company::find(conn, provider, id).await?.ok_or(ProblemKind::NotFound)?;
        match row.merged_into {
            Some(into) => id = into,
            None => return Ok(row),
        }
    }
    Err(Error::Internal("companies merged into each other"))
}
