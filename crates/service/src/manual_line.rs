//! Usage that a person enters because no product reports it.

use serde_json::json;
use tenure_core::{CompanyId, LicenseId, LineId, OrgId, Period, ProductId, SiteId, adjust::check_manual_line};
use tenure_store::{
    Conn, Queue, Tx,
    rows::{
        company,
        manual_line::{self, ManualLineRow},
        month::{self, HeldLicenseRow},
        monthly_usage::UsageRow,
        product::{self, WorkloadRow},
        site,
    },
};

use crate::{
    Actor, Idempotency, Problem, ProblemKind, Result, Service,
    authorize::sees_site,
    idempotent::{self, Begun},
    month_access::{MonthRef, changed, find, lock_to_edit, reaches},
};

/// Most manual lines of a month.
pub(crate) const MAX_LINES: i64 = 10_000;

/// A manual line to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewManualLine {
    /// The product.
    pub product: ProductId,
    /// Workload type code of the product.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Units.
    pub count: u32,
    /// The license it was used under; required where the provider has automatic licenses of the product.
    pub license: Option<LicenseId>,
    /// The customer; that of the license where one is named.
    pub company: Option<CompanyId>,
    /// The site whose part it is in; that of the license where one is named.
    pub site: Option<SiteId>,
}

/// Adds a manual line to a month that is open for changes; gives its id.
pub async fn add_manual_line(
    service: &Service,
    actor: &Actor,
    month: MonthRef,
    input: NewManualLine,
    idempotency: Option<Idempotency>,
) -> Result<LineId> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let now = service.now();
            find(tx, &actor, month).await?;
            let remember = match idempotent::begin(tx, &actor, "manual_line.add", idempotency.as_ref(), now).await? {
                Begun::Done(line) => return Ok(line),
                Begun::Do(remember) => remember,
            };
            let mut usage = lock_to_edit(service, tx, &actor, month).await?;
            if manual_line::count(tx, usage.provider, usage.period).await? >= MAX_LINES {
                return Err(ProblemKind::InvalidInput.because("the month has 10,000 manual lines already").into());
            }
            let known = Counted::of(tx, usage.provider, usage.period).await?;
            let row = line(service, tx, &actor, &usage, &known, &input).await?;
            manual_line::insert(tx, usage.provider, usage.period, &row).await?;
            let body = json!({
                "line": row.id, "product": row.product, "workload": row.workload, "variant": row.variant,
                "license": row.license, "company": row.company, "count": row.count,
            });
            changed(service, tx, &actor, &mut usage, "usage.line_added", body).await?;
            idempotent::remember(tx, remember, &row.id).await?;
            Ok(row.id)
        })
        .await
}

/// What a month counts, and the licenses that were held in it.
pub(crate) struct Counted {
    workloads: Vec<WorkloadRow>,
    licenses: Vec<HeldLicenseRow>,
}

impl Counted {
    pub(crate) async fn of(conn: &mut Conn, provider: OrgId, period: Period) -> Result<Self> {
        let workloads = product::all_workloads(conn).await?;
        Ok(Self { workloads, licenses: month::licenses(conn, provider, period).await? })
    }

    /// Workload types of a product.
    pub(crate) fn of_product(&self, product: ProductId) -> impl Iterator<Item = &WorkloadRow> {
        self.workloads.iter().filter(move |row| row.product == product)
    }

    /// The license that a line names, if it may stand in the month.
    pub(crate) fn license(&self, actor: &Actor, input: &NewManualLine) -> Result<Option<&HeldLicenseRow>, Problem> {
        let refused = |words: &'static str| ProblemKind::InvalidInput.because(words);
        let mut known = self.of_product(input.product);
        if !known.any(|row| row.code == input.workload && row.variant == input.variant) {
            return Err(refused("product, workload and variant must name a workload type of the catalog"));
        }
        let of_product = |row: &&HeldLicenseRow| row.product == input.product;
        let has_automatic = self.licenses.iter().filter(of_product).any(|row| row.reporting.extends());
        check_manual_line(input.count, has_automatic, input.license.is_some())
            .map_err(|refusal| ProblemKind::InvalidInput.because(refusal.to_string()))?;
        let Some(id) = input.license else { return Ok(None) };
        let mut held = self.licenses.iter().filter(of_product).filter(|row| sees_site(actor, row.site));
        let found = held.find(|row| row.id == id);
        found.map(Some).ok_or_else(|| refused("license must be one of the product that was held in the month"))
    }
}

/// The line to write.
pub(crate) async fn line(
    service: &Service,
    tx: &mut Tx,
    actor: &Actor,
    usage: &UsageRow,
    known: &Counted,
    input: &NewManualLine,
) -> Result<ManualLineRow> {
    let provider = usage.provider;
    let license = known.license(actor, input)?;
    let company = license.map_or(input.company, |license| license.company);
    // The license was found at a site the actor sees; whose it is then needs no second look.
    if license.is_none()
        && let Some(company) = company
        && company::find(tx, provider, company).await?.is_none_or(|row| !sees_site(actor, row.site))
    {
        return Err(ProblemKind::NotFound.because("there is no such company").into());
    }
    let site = license.map_or(input.site.or(actor.site), |license| license.site);
    if let Some(site) = site
        && (site::find(tx, provider, site).await?.is_none() || !sees_site(actor, Some(site)))
    {
        return Err(ProblemKind::NotFound.because("there is no such site").into());
    }
    reaches(actor, site)?;
    Ok(ManualLineRow {
        id: LineId::generate(service.now(), service.rng()),
        product: input.product,
        workload: input.workload.clone(),
        variant: input.variant.clone(),
        company,
        license: license.map(|license| license.id),
        site,
        count: input.count,
        by: actor.principal(),
        at: service.now(),
    })
}

/// Removes a manual line from a month that is open for changes.
pub async fn remove_manual_line(service: &Service, actor: &Actor, month: MonthRef, line: LineId) -> Result<()> {
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let mut usage = lock_to_edit(service, tx, &actor, month).await?;
            let row = manual_line::find(tx, usage.provider, usage.period, line).await?.ok_or(ProblemKind::NotFound)?;
            reaches(&actor, row.site)?;
            manual_line::delete(tx, usage.provider, usage.period, line).await?;
            let body = json!({
                "line": row.id, "product": row.product, "workload": row.workload, "variant": row.variant,
                "license": row.license, "count": row.count,
            });
            changed(service, tx, &actor, &mut usage, "usage.line_removed", body).await
        })
        .await
}
