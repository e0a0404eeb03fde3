//! Setting a program up: the vendor at `init`; then organizations, sites, people and agreements by its administrator.

use tenure_core::{
    AgreementId, AgreementKind, OrgId, Period, Points, Policy, ProductId, Rng, Timestamp, UserId,
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
    },
};
use zeroize::Zeroizing;

use crate::{
    Actor, Catalog, Error, Idempotency, ProblemKind, Result, Service,
    authorize::at_home,
    catalog_file::{CatalogProduct, CatalogWorkload},
    change, checks,
    idempotent::{self, Begun},
    password,
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
    let row = OrgRow {
        id: vendor.id,
        kind: OrgKind::Vendor,
        name: vendor.name.trim().to_owned(),
        created: vendor.now,
        disabled: None,
    };
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
        second_step: None,
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
pub(crate) async fn write_product(tx: &mut Tx, id: ProductId, entry: &CatalogProduct, period: Period) -> Result<()> {
    let row = ProductRow {
        id,
        code: entry.code.clone(),
        name: entry.name.trim().to_owned(),
        edition: entry.edition.trim().to_owned(),
        version: entry.version.trim().to_owned(),
        reports: entry.reports,
        withdrawn: None,
    };
    let workloads: Vec<WorkloadRow> = entry.workloads.iter().map(|workload| workload_row(id, workload)).collect();
    product::insert(tx, &row, &workloads).await?;
    write_weights(tx, id, &entry.workloads, period, period).await
}

/// A workload type as it is stored.
pub(crate) fn workload_row(product: ProductId, entry: &CatalogWorkload) -> WorkloadRow {
    WorkloadRow {
        product,
        code: entry.code.clone(),
        variant: entry.variant.clone(),
        name: entry.name.trim().to_owned(),
        unit: entry.unit.trim().to_owned(),
    }
}

/// Writes what new workload types weigh from a period on; later weights must begin after `running`.
pub(crate) async fn write_weights(
    tx: &mut Tx,
    id: ProductId,
    entries: &[CatalogWorkload],
    period: Period,
    running: Period,
) -> Result<()> {
    let mut weights = Vec::new();
    for workload in entries {
        weights.push((workload.code.as_str(), workload.variant.as_str(), period, workload.weight));
        for (from, weight) in &workload.weight_from {
            if *from <= running {
                let words = format!("the weight of {} from {from} on must begin after {running}", workload.code);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            weights.push((workload.code.as_str(), workload.variant.as_str(), *from, *weight));
        }
    }
    Ok(product::put_weights(tx, id, &weights).await?)
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
pub async fn create_agreement(
    service: &Service,
    actor: &Actor,
    input: NewAgreement,
    idempotency: Option<Idempotency>,
) -> Result<AgreementRow> {
    let now = service.now();
    checks::name("number", &input.number)?;
    checks::text("purchase_order", &input.purchase_order, 200)?;
    terms_fit(&input, now)?;
    let (id, actor) = (AgreementId::generate(now, service.rng()), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageProgram).await?;
            let remember = match idempotent::begin(tx, &actor, "agreement.create", idempotency.as_ref(), now).await? {
                Begun::Done((provider, id)) => {
                    let row = agreement::find(tx, provider, id).await?;
                    return row.ok_or(Error::Internal("a new agreement is gone"));
                }
                Begun::Do(remember) => remember,
            };
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
            idempotent::remember(tx, remember, &(row.provider, id)).await?;
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

pub(crate) async fn of_kind(conn: &mut Conn, id: OrgId, kind: OrgKind) -> Result<OrgRow> {
    let found = org::find(conn, id).await?.filter(|org| org.kind == kind);
    let found = found.ok_or_else(|| ProblemKind::NotFound.because(format!("there is no such {}", word(kind))))?;
    if found.disabled.is_some() {
        return Err(ProblemKind::Inactive.because(format!("this {} was deactivated", word(kind))).into());
    }
    Ok(found)
}

const fn word(kind: OrgKind) -> &'static str {
    match kind {
        OrgKind::Vendor => "vendor",
        OrgKind::Distributor => "distributor",
        OrgKind::Provider => "provider",
    }
}
