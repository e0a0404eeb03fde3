//! Setting a program up: the vendor at `init`; then organizations, sites, people and agreements by its administrator.

use tenure_core::{
    AgreementId, AgreementKind, OrgId, Period, Points, Policy, ProductId, Rng, SiteId, Timestamp, UserId,
    roles::{Action, OrgKind, Role},
};
use tenure_store::{
    Conn, Queue, StoreError, Tx,
    rows::{
        agreement::{self, AgreementRow},
        org::{self, OrgRow},
        person::{self, PersonRow},
        policy,
        product::{self, ProductRow, WorkloadRow},
        site::{self, SiteRow},
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, Catalog, Error, ProblemKind, Result, Service,
    authorize::{at_home, kind_of},
    catalog_file::CatalogProduct,
    change, checks, password,
};

/// The vendor as `init` writes it.
pub(crate) struct FirstVendor<'a> {
    /// The vendor's organization.
    pub(crate) id: OrgId,
    /// Its name.
    pub(crate) name: &'a str,
    /// The first administrator's e-mail address.
    pub(crate) email: &'a str,
    /// The first administrator's password, hashed.
    pub(crate) password_hash: &'a str,
    /// Products and their workload types.
    pub(crate) catalog: &'a Catalog,
    /// The program's numbers.
    pub(crate) policy: &'a Policy,
    /// The period they and the first weights hold from.
    pub(crate) period: Period,
    /// The instant of `init`.
    pub(crate) now: Timestamp,
}

/// A fresh password of 100 bits, for a person to type once.
pub(crate) fn new_password(rng: &dyn Rng) -> Zeroizing<String> {
    password::generate(rng)
}

/// A password as it is stored.
pub(crate) async fn hash_password(password: &str, rng: &dyn Rng) -> Result<String> {
    password::hash(password, rng).await
}

/// The numbers in force in a period: the stored ones, or the program description's where none are stored.
pub(crate) async fn policy_at(conn: &mut Conn, period: Period) -> Result<Policy, StoreError> {
    Ok(policy::in_force(conn, period).await?.unwrap_or_default())
}

/// Writes vendor, policy, catalog and first administrator.
pub(crate) async fn write_vendor(tx: &mut Tx, rng: &dyn Rng, operator: &Actor, vendor: &FirstVendor<'_>) -> Result<()> {
    checks::name("vendor", vendor.name)?;
    let email = checks::email(vendor.email)?;
    let row = OrgRow { id: vendor.id, kind: OrgKind::Vendor, name: vendor.name.trim().to_owned(), created: vendor.now };
    org::insert(tx, &row).await?;
    policy::put(tx, vendor.period, vendor.policy).await?;
    for product in &vendor.catalog.products {
        write_product(tx, ProductId::generate(vendor.now, rng), product, vendor.period).await?;
    }
    let administrator = PersonRow {
        id: UserId::generate(vendor.now, rng),
        org: vendor.id,
        site: None,
        email,
        name: "Administrator".to_owned(),
        role: Role::VendorAdministrator,
        password_hash: vendor.password_hash.to_owned(),
        failures: 0,
        locked_until: Timestamp::EPOCH,
        disabled: None,
    };
    if !person::insert(tx, &administrator).await? {
        return Err(Error::Internal("a fresh database holds people"));
    }
    let body = serde_json::json!({
        "vendor": vendor.name, "products": vendor.catalog.products.len(), "administrator": administrator.id,
    });
    change::by(tx, operator, vendor.id, "deployment.created", vendor.id.to_string(), vendor.now, body);
    Ok(())
}

/// Adds a product of a catalog file; later weights must begin after `period`.
async fn write_product(tx: &mut Tx, id: ProductId, entry: &CatalogProduct, period: Period) -> Result<()> {
    let row = ProductRow {
        id,
        code: entry.code.clone(),
        name: entry.name.trim().to_owned(),
        edition: entry.edition.trim().to_owned(),
        version: entry.version.trim().to_owned(),
        reports: entry.reports,
    };
    let workloads: Vec<WorkloadRow> = entry
        .workloads
        .iter()
        .map(|workload| WorkloadRow {
            product: id,
            code: workload.code.clone(),
            variant: workload.variant.clone(),
            name: workload.name.trim().to_owned(),
            unit: workload.unit.trim().to_owned(),
        })
        .collect();
    product::insert(tx, &row, &workloads).await?;
    let mut weights = Vec::new();
    for workload in &entry.workloads {
        weights.push((workload.code.as_str(), workload.variant.as_str(), period, workload.weight));
        for (from, weight) in &workload.weight_from {
            if *from <= period {
                let words = format!("the weight of {} from {from} on must begin after {period}", workload.code);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            weights.push((workload.code.as_str(), workload.variant.as_str(), *from, *weight));
        }
    }
    Ok(product::put_weights(tx, id, &weights).await?)
}

/// An organization to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewOrganization {
    /// Distributor or provider.
    pub kind: OrgKind,
    /// Display name; may be another's too.
    pub name: String,
}

/// Adds a distributor or provider; for the vendor's administrator.
pub async fn create_organization(service: &Service, actor: &Actor, input: NewOrganization) -> Result<OrgId> {
    checks::name("name", &input.name)?;
    if input.kind == OrgKind::Vendor {
        return Err(ProblemKind::InvalidInput.because("a deployment has one vendor").into());
    }
    let (now, actor) = (service.now(), actor.clone());
    let id = OrgId::generate(now, service.rng());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            let row = OrgRow { id, kind: input.kind, name: input.name.trim().to_owned(), created: now };
            org::insert(tx, &row).await?;
            let body = serde_json::json!({ "name": row.name, "kind": row.kind });
            change::by(tx, &actor, actor.org, "organization.created", id.to_string(), now, body);
            Ok::<_, Error>(id)
        })
        .await
}

/// Adds a site to a provider; for the vendor's administrator.
pub async fn create_site(service: &Service, actor: &Actor, provider: OrgId, name: String) -> Result<SiteId> {
    checks::name("name", &name)?;
    let (now, actor) = (service.now(), actor.clone());
    let id = SiteId::generate(now, service.rng());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            of_kind(tx, provider, OrgKind::Provider).await?;
            if site::of_provider(tx, provider).await?.len() >= site::MAX_SITES as usize {
                let words = format!("a provider has at most {} sites", site::MAX_SITES);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            let row = SiteRow { provider, id, name: name.trim().to_owned() };
            site::insert(tx, &row).await?;
            change::by(
                tx,
                &actor,
                provider,
                "site.created",
                id.to_string(),
                now,
                serde_json::json!({ "name": row.name }),
            );
            Ok::<_, Error>(id)
        })
        .await
}

/// A person to add to an organization.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewPerson {
    /// The organization.
    pub org: OrgId,
    /// E-mail address, in any case; people sign in with it.
    pub email: String,
    /// Display name.
    pub name: String,
    /// What it may do there.
    pub role: Role,
    /// The one site of a location usage administrator.
    pub site: Option<SiteId>,
}

/// A person who was added.
#[derive(Clone)]
pub struct CreatedPerson {
    /// Its id.
    pub id: UserId,
    /// The first password; it exists nowhere else in clear.
    pub password: Zeroizing<String>,
}

/// Adds a person with a password made here: by an administrator of its organization, or by the vendor's for any.
pub async fn create_person(service: &Service, actor: &Actor, input: NewPerson) -> Result<CreatedPerson> {
    checks::name("name", &input.name)?;
    let email = checks::email(&input.email)?;
    let now = service.now();
    let mut read = service.store().peek().await?;
    let kind = may_add_people(&mut read, actor, input.org).await?;
    role_fits(&input, kind)?;
    drop(read);
    let (id, password) = (UserId::generate(now, service.rng()), password::generate(service.rng()));
    let password_hash = password::hash(&password, service.rng()).await?;
    let (actor, org) = (actor.clone(), input.org);
    let row = PersonRow {
        id,
        org,
        site: input.site,
        email,
        name: input.name.trim().to_owned(),
        role: input.role,
        password_hash,
        failures: 0,
        locked_until: Timestamp::EPOCH,
        disabled: None,
    };
    service
        .store()
        .write(Queue::People, async move |tx| {
            may_add_people(tx, &actor, org).await?;
            if let Some(site) = row.site
                && site::find(tx, org, site).await?.is_none()
            {
                return Err(ProblemKind::NotFound.because("there is no such site").into());
            }
            if !person::insert(tx, &row).await? {
                // Whose it is is nobody's business (A7).
                return Err(ProblemKind::InvalidInput.because("this email cannot be used").into());
            }
            let body = serde_json::json!({ "name": row.name, "role": row.role, "site": row.site });
            change::by(tx, &actor, org, "person.created", id.to_string(), now, body);
            Ok::<_, Error>(())
        })
        .await?;
    Ok(CreatedPerson { id, password })
}

async fn may_add_people(conn: &mut Conn, actor: &Actor, org: OrgId) -> Result<OrgKind> {
    if actor.org == org {
        return at_home(conn, actor, Action::ManagePeople).await;
    }
    if kind_of(conn, actor).await? != OrgKind::Vendor {
        return Err(ProblemKind::NotFound.into());
    }
    let kind = org::find(conn, org).await?.ok_or(ProblemKind::NotFound)?.kind;
    at_home(conn, actor, Action::ManageProgram).await?;
    Ok(kind)
}

fn role_fits(input: &NewPerson, kind: OrgKind) -> Result<()> {
    let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words).into());
    if input.role.org_kind() != Some(kind) || input.role == Role::CompanyViewer {
        return refused("this organization has no such role");
    }
    match (input.role == Role::ProviderLocation, input.site) {
        (true, None) => refused("a location usage administrator needs a site"),
        (false, Some(_)) => refused("only a location usage administrator is confined to a site"),
        _ => Ok(()),
    }
}

/// A rental agreement to add.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAgreement {
    /// Who approves and invoices.
    pub distributor: OrgId,
    /// Who rents.
    pub provider: OrgId,
    /// The number people know it by.
    pub number: String,
    /// Its commitment.
    pub kind: AgreementKind,
    /// Minimum points per month; zero under `NoCommit`.
    pub commit: Points,
    /// Points above this are overage.
    pub limit: Option<Points>,
    /// The provider's purchase order; may be empty.
    pub purchase_order: String,
    /// When it was signed.
    pub signed: Timestamp,
    /// The first instant it no longer covers.
    pub ends: Timestamp,
}

/// Adds a rental agreement; for the vendor's administrator.
pub async fn create_agreement(service: &Service, actor: &Actor, input: NewAgreement) -> Result<AgreementRow> {
    let now = service.now();
    checks::name("number", &input.number)?;
    checks::text("purchase_order", &input.purchase_order, 200)?;
    terms_fit(&input, now)?;
    let (id, actor) = (AgreementId::generate(now, service.rng()), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            of_kind(tx, input.provider, OrgKind::Provider).await?;
            of_kind(tx, input.distributor, OrgKind::Distributor).await?;
            let row = AgreementRow {
                provider: input.provider,
                id,
                distributor: input.distributor,
                number: input.number.trim().to_owned(),
                kind: input.kind,
                commit: input.commit,
                limit: input.limit,
                purchase_order: input.purchase_order.trim().to_owned(),
                signed: input.signed,
                ends: input.ends,
                terminated: None,
            };
            agreement::insert(tx, &row).await?;
            let body = serde_json::json!({
                "number": row.number, "kind": row.kind, "distributor": row.distributor,
                "commit": row.commit.to_string(), "limit": row.limit.map(|limit| limit.to_string()),
                "signed": row.signed, "ends": row.ends,
            });
            change::by(tx, &actor, row.provider, "agreement.created", id.to_string(), now, body);
            Ok::<_, Error>(row)
        })
        .await
}

fn terms_fit(input: &NewAgreement, now: Timestamp) -> Result<()> {
    let refused = |words: &'static str| Err(ProblemKind::InvalidInput.because(words).into());
    if input.commit < Points::ZERO || input.limit.is_some_and(|limit| limit < input.commit) {
        return refused("commit must not be negative, and limit not below it");
    }
    if input.kind == AgreementKind::NoCommit && input.commit != Points::ZERO {
        return refused("a no_commit agreement commits to nothing: commit must be 0");
    }
    if input.signed > now {
        return refused("signed_at must not be in the future");
    }
    if input.ends <= input.signed || input.ends <= now {
        return refused("ends_at must be in the future and after signed_at");
    }
    Ok(())
}

async fn of_kind(conn: &mut Conn, id: OrgId, kind: OrgKind) -> Result<OrgRow> {
    let found = org::find(conn, id).await?.filter(|org| org.kind == kind);
    found.ok_or_else(|| ProblemKind::NotFound.because(format!("there is no such {}", word(kind))).into())
}

const fn word(kind: OrgKind) -> &'static str {
    match kind {
        OrgKind::Vendor => "vendor",
        OrgKind::Distributor => "distributor",
        OrgKind::Provider => "provider",
    }
}
