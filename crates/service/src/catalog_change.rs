//! Changing the catalog: products, what is counted on them, and what a unit costs from a future month on.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::json;
use tenure_core::{Period, ProductId, Timestamp, Weight, roles::Action};
pub use tenure_store::rows::product::DatedWeight;
use tenure_store::{
    Conn, Queue,
    rows::product::{self, ProductRow, WorkloadRow},
};

use crate::{
    Actor, Catalog, CatalogProduct, CatalogWorkload, ContentTag, Error, Idempotency, IfMatch, ProblemKind, ProductView,
    Result, Service,
    authorize::at_home,
    catalog_file, change, checks,
    idempotent::{self, Begun},
    program,
};

/// A product with all it ever cost and will cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductDetail {
    /// The product.
    pub product: ProductRow,
    /// What is counted, by code and variant.
    pub workloads: Vec<WorkloadRow>,
    /// Weights by code, variant and the month they hold from.
    pub weights: Vec<DatedWeight>,
}

/// What is to be different about a product.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProductChange {
    /// Another name.
    pub name: Option<String>,
    /// Another version line.
    pub version: Option<String>,
    /// Whether it is licensed anew.
    pub withdrawn: Option<bool>,
}

/// Another weight of a workload type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct NewWeight {
    /// Workload type code.
    pub workload: String,
    /// Variant code; empty where the type has none.
    pub variant: String,
    /// Points per unit.
    #[serde(serialize_with = "as_text")]
    pub weight: Weight,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands fields over by reference")]
fn as_text<S: serde::Serializer>(weight: &Weight, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(weight)
}

#[derive(Serialize)]
struct Content<'a> {
    name: &'a str,
    version: &'a str,
    withdrawn_at: Option<Timestamp>,
    workloads: Vec<(&'a str, &'a str, &'a str, &'a str)>,
    weights: Vec<(&'a str, &'a str, Period, String)>,
}

impl ProductDetail {
    /// The tag of what can be changed of a product.
    pub fn tag(&self) -> ContentTag {
        ContentTag::of(&self.content())
    }

    /// The product as the catalog of a month shows it.
    pub fn in_period(&self, period: Period) -> ProductView {
        let weight = |row: &WorkloadRow| {
            let of =
                |dated: &&DatedWeight| dated.code == row.code && dated.variant == row.variant && dated.from <= period;
            self.weights.iter().rfind(of).map(|dated| (row.clone(), dated.weight))
        };
        ProductView { product: self.product.clone(), workloads: self.workloads.iter().filter_map(weight).collect() }
    }

    fn content(&self) -> Content<'_> {
        Content {
            name: &self.product.name,
            version: &self.product.version,
            withdrawn_at: self.product.withdrawn,
            workloads: self
                .workloads
                .iter()
                .map(|row| (row.code.as_str(), row.variant.as_str(), row.name.as_str(), row.unit.as_str()))
                .collect(),
            weights: self
                .weights
                .iter()
                .map(|row| (row.code.as_str(), row.variant.as_str(), row.from, row.weight.to_string()))
                .collect(),
        }
    }
}

async fn detail(conn: &mut Conn, id: ProductId) -> Result<ProductDetail> {
    let product = product::find(conn, id).await?.ok_or(ProblemKind::NotFound)?;
    let workloads = product::workloads(conn, id).await?;
    Ok(ProductDetail { product, workloads, weights: product::all_dated(conn, id).await? })
}

/// One product; for everybody, as the catalog is.
pub async fn view_product(service: &Service, actor: &Actor, id: ProductId) -> Result<ProductDetail> {
    let mut read = service.store().read().await?;
    at_home(&mut read, actor, Action::View).await?;
    detail(&mut read, id).await
}

/// Adds a product in one edition, with its weights from the running month on; for who manages the catalog.
pub async fn create_product(
    service: &Service,
    actor: &Actor,
    input: CatalogProduct,
    idempotency: Option<Idempotency>,
) -> Result<ProductDetail> {
    let catalog = Catalog { products: vec![input], ..Catalog::default() };
    catalog.check().map_err(|words| ProblemKind::InvalidInput.because(words))?;
    let (now, actor) = (service.now(), actor.clone());
    let id = ProductId::generate(now, service.rng());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let entry = &catalog.products[0];
            at_home(tx, &actor, Action::ManageCatalog).await?;
            let remember = match idempotent::begin(tx, &actor, "product.create", idempotency.as_ref(), now).await? {
                Begun::Done(id) => return detail(tx, id).await,
                Begun::Do(remember) => remember,
            };
            if product::find_by_code(tx, &entry.code, entry.edition.trim()).await?.is_some() {
                let words = "there is a product of this code and edition already";
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            if product::all(tx).await?.len() >= product::MAX_PRODUCTS as usize {
                let words = format!("a catalog has at most {} products", product::MAX_PRODUCTS);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            program::write_product(tx, id, entry, Period::of(now)).await?;
            let body = json!({ "name": entry.name, "code": entry.code, "edition": entry.edition });
            change::by(tx, &actor, actor.org, "product.created", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            detail(tx, id).await
        })
        .await
}

/// Renames a product, or withdraws it from new licenses; for who manages the catalog. Licenses that exist go on.
pub async fn edit_product(
    service: &Service,
    actor: &Actor,
    id: ProductId,
    seen: IfMatch,
    input: ProductChange,
) -> Result<ProductDetail> {
    for (field, text) in [("name", &input.name), ("version", &input.version)] {
        if let Some(text) = text {
            checks::name(field, text)?;
        }
    }
    let (now, actor) = (service.now(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageCatalog).await?;
            let mut found = detail(tx, id).await?;
            seen.check(&found.content())?;
            let before = found.product.clone();
            let row = &mut found.product;
            if let Some(name) = &input.name {
                name.trim().clone_into(&mut row.name);
            }
            if let Some(version) = &input.version {
                version.trim().clone_into(&mut row.version);
            }
            match input.withdrawn {
                Some(true) => row.withdrawn = row.withdrawn.or(Some(now)),
                Some(false) => row.withdrawn = None,
                None => {}
            }
            if *row == before {
                return Ok(found);
            }
            product::update(tx, row).await?;
            let shown =
                |row: &ProductRow| json!({ "name": row.name, "version": row.version, "withdrawn": row.withdrawn });
            let body = json!({ "name": row.name, "from": shown(&before), "to": shown(row) });
            let verb = match (before.withdrawn, row.withdrawn) {
                (None, Some(_)) => "product.withdrawn",
                (Some(_), None) => "product.offered",
                _ => "product.changed",
            };
            change::by(tx, &actor, actor.org, verb, id.to_string(), now, body);
            Ok::<_, Error>(found)
        })
        .await
}

/// Adds workload types to a product, with their weights from a month on, the running one where none is named; for who
/// manages the catalog.
///
/// The month may be one before, so that a code that products report already, and that blocks a submission as unmapped, gets
/// its weight there. Nothing was billed with it, so nothing that was billed changes.
pub async fn add_workloads(
    service: &Service,
    actor: &Actor,
    id: ProductId,
    from: Option<Period>,
    input: Vec<CatalogWorkload>,
    idempotency: Option<Idempotency>,
) -> Result<ProductDetail> {
    catalog_file::workloads(&input).map_err(|words| ProblemKind::InvalidInput.because(words))?;
    let (now, actor) = (service.now(), actor.clone());
    let running = Period::of(now);
    let from = from.unwrap_or(running);
    let oldest = running.plus(-(service.policy().max_correction_months as i32));
    if from > running || from < oldest {
        let words = format!("from must be a month from {oldest} to {running}; weights of later months are dated");
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageCatalog).await?;
            let remember = match idempotent::begin(tx, &actor, "product.extend", idempotency.as_ref(), now).await? {
                Begun::Done(id) => return detail(tx, id).await,
                Begun::Do(remember) => remember,
            };
            let found = detail(tx, id).await?;
            for new in &input {
                if found.workloads.iter().any(|row| row.code == new.code && row.variant == new.variant) {
                    let words = format!("{} {} is there already; change its weight instead", new.code, new.variant);
                    return Err(ProblemKind::InvalidInput.because(words).into());
                }
            }
            if found.workloads.len() + input.len() > catalog_file::MAX_WORKLOADS {
                let words = format!("a product has at most {} workload types", catalog_file::MAX_WORKLOADS);
                return Err(ProblemKind::InvalidInput.because(words).into());
            }
            let rows: Vec<WorkloadRow> = input.iter().map(|new| program::workload_row(id, new)).collect();
            product::insert_workloads(tx, id, &rows).await?;
            program::write_weights(tx, id, &input, from, running).await?;
            let codes: Vec<_> =
                input.iter().map(|new| json!([new.code, new.variant, new.weight.to_string()])).collect();
            let body = json!({ "name": found.product.name, "from": from, "workloads": codes });
            change::by(tx, &actor, actor.org, "product.extended", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            detail(tx, id).await
        })
        .await
}

/// Refuses a month from which no weight can be set any more: one that is past or runs.
pub fn weights_may_hold_from(service: &Service, from: Period) -> Result<()> {
    let running = Period::of(service.now());
    if from > running {
        return Ok(());
    }
    let words = format!("from must be a month after {running}: a weight changes on the 1st of a future one");
    Err(ProblemKind::InvalidInput.because(words).into())
}

/// Sets weights from the 1st of a future month on; for who manages the catalog. What a unit cost or costs now is never
/// changed ("Words": a weight changes only on the 1st of a future period).
pub async fn set_weights(
    service: &Service,
    actor: &Actor,
    id: ProductId,
    seen: IfMatch,
    from: Period,
    input: Vec<NewWeight>,
    idempotency: Option<Idempotency>,
) -> Result<ProductDetail> {
    let (now, actor) = (service.now(), actor.clone());
    let refused = |words: String| Err(ProblemKind::InvalidInput.because(words).into());
    weights_may_hold_from(service, from)?;
    let named: BTreeSet<_> = input.iter().map(|new| (&new.workload, &new.variant)).collect();
    if named.is_empty() || named.len() != input.len() {
        return refused("name each workload type once, and at least one".to_owned());
    }
    service
        .store()
        .write(Queue::People, async move |tx| {
            at_home(tx, &actor, Action::ManageCatalog).await?;
            let remember = match idempotent::begin(tx, &actor, "weights.set", idempotency.as_ref(), now).await? {
                Begun::Done(id) => return detail(tx, id).await,
                Begun::Do(remember) => remember,
            };
            let found = detail(tx, id).await?;
            seen.check(&found.content())?;
            known(&found.workloads, &input)?;
            let rows: Vec<_> =
                input.iter().map(|new| (new.workload.as_str(), new.variant.as_str(), from, new.weight)).collect();
            product::put_weights(tx, id, &rows).await?;
            let body = json!({ "name": found.product.name, "from": from, "weights": input });
            change::by(tx, &actor, actor.org, "product.weights_set", id.to_string(), now, body);
            idempotent::remember(tx, remember, &id).await?;
            detail(tx, id).await
        })
        .await
}

/// Refuses weights of what a product does not count.
pub(crate) fn known(workloads: &[WorkloadRow], weights: &[NewWeight]) -> Result<()> {
    for new in weights {
        if !workloads.iter().any(|row| row.code == new.workload && row.variant == new.variant) {
            let words = format!("the product counts no {} {}", new.workload, new.variant);
            return Err(ProblemKind::InvalidInput.because(words.trim_end().to_owned()).into());
        }
    }
    Ok(())
}
