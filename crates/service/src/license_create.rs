//! Creating a license: a template, assigned at once where the usage type or the caller says so.

use serde::{Deserialize, Serialize};
use tenure_core::{
    AgreementId, CompanyId, Day, LicenseId, OrgId, Period, Points, ProductId, SiteId, TemplateId, Timestamp, UsageType,
    assignment::Holding,
    reporting::{self, AutomaticReporting},
    roles::Action,
    suspension::Wish,
    validity::explicit_expiry,
};
pub use tenure_store::rows::template::WorkloadCount;
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        agreement::{self, AgreementRow},
        company, license,
        product::{self, ProductRow},
        template::{self, TemplateRow},
    },
};

use crate::{
    Actor, Error, Idempotency, ProblemKind, Result, Service, agreements,
    authorize::{at_provider, sees_site, site_for},
    change, checks,
    idempotent::{self, Begun},
    license_rules::{self, Facts},
};

/// Longest description, in characters.
pub(crate) const MAX_DESCRIPTION: usize = 500;

/// A license to create for the actor's own organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewLicense {
    /// The agreement it is rented under.
    pub agreement: AgreementId,
    /// The product.
    pub product: ProductId,
    /// Who may be served with it.
    pub usage_type: UsageType,
    /// The provider's own words; may be empty.
    pub description: String,
    /// The site it belongs to.
    pub site: Option<SiteId>,
    /// The company it is assigned to at once; only for `SingleCustomer`.
    pub company: Option<CompanyId>,
    /// Whether reports extend it; ignored where the toggle is fixed.
    pub automatic: bool,
    /// Its last day; required where reports do not extend it, ignored where they do.
    pub last_day: Option<Day>,
    /// What it licenses.
    pub workloads: Vec<WorkloadCount>,
}

/// A license that was created.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedLicense {
    /// The template.
    pub template: TemplateId,
    /// Its assignment, where it was assigned at once.
    pub license: Option<LicenseId>,
}

/// What a license to create would cost, for the wizard's summary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointsPreview {
    /// Count times weight, summed.
    pub exact: Points,
    /// What the key says: rounded up to a whole point ("Validity": key creation rounds up, reports never).
    pub key: Points,
}

/// The points of workloads of a product by the weights of the running period.
pub async fn preview_points(
    service: &Service,
    actor: &Actor,
    product: ProductId,
    workloads: Vec<WorkloadCount>,
) -> Result<PointsPreview> {
    let mut read = service.store().read().await?;
    at_provider(&mut read, actor, actor.org, Action::View).await?;
    let product = product::find(&mut read, product).await?.ok_or(ProblemKind::NotFound)?;
    let workloads = license_rules::workloads(&product::workloads(&mut read, product.id).await?, workloads)?;
    let weights = product::weights(&mut read, product.id, Period::of(service.now())).await?;
    let exact = license_rules::points(&workloads, &weights)?;
    Ok(PointsPreview { exact, key: tenure_core::validity::key_points(exact) })
}

/// Creates a license. It is a template, which costs nothing, until it is assigned: `Internal` and `MultiCustomer` are
/// assigned to the provider itself at once, `SingleCustomer` where a company is named.
pub async fn create_license(
    service: &Service,
    actor: &Actor,
    input: NewLicense,
    idempotency: Option<Idempotency>,
) -> Result<CreatedLicense> {
    checks::text("description", &input.description, MAX_DESCRIPTION)?;
    if input.company.is_some() && input.usage_type.held_by_provider() {
        let words = "a license of this usage type is held by the provider itself; leave company out";
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            at_provider(tx, &actor, actor.org, Action::ManageLicenses).await?;
            let remember = match idempotent::begin(tx, &actor, "license.create", idempotency.as_ref(), now).await? {
                Begun::Done(created) => return Ok(created),
                Begun::Do(remember) => remember,
            };
            let created = create(service, tx, &actor, &input, now).await?;
            idempotent::remember(tx, remember, &created).await?;
            Ok::<_, Error>(created)
        })
        .await
}

async fn create(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    input: &NewLicense,
    now: Timestamp,
) -> Result<CreatedLicense> {
    let provider = actor.org;
    let agreement = agreement::find(tx, provider, input.agreement).await?;
    let agreement = agreement.ok_or_else(|| ProblemKind::NotFound.because("there is no such agreement"))?;
    let product = product::find(tx, input.product).await?;
    let product = product.ok_or_else(|| ProblemKind::NotFound.because("there is no such product"))?;
    license_rules::still_licensed(&product)?;
    let workloads = license_rules::workloads(&product::workloads(tx, product.id).await?, input.workloads.clone())?;
    let site = site_for(tx, actor, provider, input.site).await?;
    if let Some(company) = input.company {
        reachable_company(tx, actor, provider, company).await?;
    }
    let assigned = input.company.is_some() || input.usage_type.held_by_provider();
    let holder = assigned.then_some((input.company, product.id));
    let facts = Facts::gather(service, tx, agreement, input.usage_type, Holding::Template, holder).await?;
    facts.may(Wish::Create)?;
    let state = reporting::initial(input.automatic, &facts.toggle()).map_err(license_rules::toggle_refused)?;
    if state == AutomaticReporting::On && !product.reports {
        let words = "this product does not report by itself; its usage is entered by hand";
        return Err(ProblemKind::ReportingFixed.because(words).into());
    }
    let expires = explicit_end(state, input.last_day, &facts.agreement, now)?;
    let row = TemplateRow {
        provider,
        id: TemplateId::generate(now, service.rng()),
        agreement: facts.agreement.id,
        product: product.id,
        site,
        usage_type: input.usage_type,
        description: input.description.trim().to_owned(),
        workloads,
        automatic: state.extends(),
        expires,
        license: None,
        created: now,
    };
    template::insert(tx, &row).await?;
    change::by(tx, actor, provider, "license.created", row.id.to_string(), now, created_body(&row, &product));
    let license =
        if assigned { Some(assign(service, tx, actor, &row, input.company, state, now).await?) } else { None };
    Ok(CreatedLicense { template: row.id, license })
}

fn created_body(row: &TemplateRow, product: &ProductRow) -> serde_json::Value {
    serde_json::json!({
        "product": product.code, "edition": product.edition, "agreement": row.agreement, "site": row.site,
        "usage_type": row.usage_type, "workloads": row.workloads, "automatic": row.automatic, "expires": row.expires,
    })
}

/// The explicit end of a license that reports do not extend.
fn explicit_end(
    state: AutomaticReporting,
    last_day: Option<Day>,
    agreement: &AgreementRow,
    now: Timestamp,
) -> Result<Option<Timestamp>> {
    if state.extends() {
        return Ok(None);
    }
    let Some(last_day) = last_day else {
        let words = "expires_on is required when the license is not automatically reported";
        return Err(ProblemKind::InvalidInput.because(words).into());
    };
    let end = agreements::terms(agreement).end();
    explicit_expiry(last_day, Some(end), now)
        .map(Some)
        .map_err(|refusal| ProblemKind::InvalidInput.because(format!("expires_on: {refusal}")).into())
}

/// A company of the provider that the actor may serve.
pub(crate) async fn reachable_company(conn: &mut Conn, actor: &Actor, provider: OrgId, id: CompanyId) -> Result<()> {
    match company::find(conn, provider, id).await? {
        Some(row) if sees_site(actor, row.site) && row.closed.is_some() => {
            Err(ProblemKind::Inactive.because("this company was closed").into())
        }
        Some(row) if sees_site(actor, row.site) => Ok(()),
        _ => Err(ProblemKind::NotFound.because("there is no such company").into()),
    }
}

/// Makes the template's assignment: a new license id with a fresh anchor. Nothing is issued: no server has it yet.
pub(crate) async fn assign(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    row: &TemplateRow,
    company: Option<CompanyId>,
    state: AutomaticReporting,
    now: Timestamp,
) -> Result<LicenseId> {
    let id = LicenseId::generate(now, service.rng());
    let mut assigned = template::assignment(row, id, company, now);
    assigned.reporting = state;
    // Signed payloads have whole seconds; what is stored is what they say.
    assigned.anchor = state.extends().then(|| reporting::anchor(None, now.floor_to_second()));
    license::insert(tx, &assigned).await?;
    if !template::assign(tx, row.provider, row.id, id).await? {
        return Err(ProblemKind::AlreadyAssigned.into());
    }
    let body = serde_json::json!({
        "template": row.id, "company": company, "reporting": state, "anchor": assigned.anchor,
        "expires": assigned.expires,
    });
    change::by(tx, actor, row.provider, "license.assigned", id.to_string(), now, body);
    Ok(id)
}
