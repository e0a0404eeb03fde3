//! A month against the one before: what is there now, what is gone, what became more or less.

use std::collections::{BTreeMap, HashMap};

use tenure_core::{CompanyId, LicenseId, OrgId, Period, Points, ProductId};
use tenure_store::{
    Conn,
    rows::{month as rows, product, submission},
};

use crate::{
    Actor, ProblemKind, Result, Service,
    month::{Month, Named, read_signed},
    month_access::{MonthRef, confined, find},
};

/// A month against the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The month.
    pub period: Period,
    /// The month before.
    pub before: Period,
    /// Reported points of both, corrections not included.
    pub points: (Points, Points),
    /// What differs, by product, customer, license and workload type. What is alike is left out.
    pub rows: Vec<DifferenceRow>,
}

/// One difference: figures of the month before and of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DifferenceRow {
    /// The product, by its name and edition.
    pub product: Named<ProductId>,
    /// The customer; none when the provider itself holds the license.
    pub company: Option<Named<CompanyId>>,
    /// The license; none for manual lines without one.
    pub license: Option<LicenseId>,
    /// Workload type code.
    pub workload: String,
    /// Variant code.
    pub variant: String,
    /// Units the month before and now; none where there was no such line.
    pub counts: (Option<i64>, Option<i64>),
    /// Points the month before and now.
    pub points: (Points, Points),
}

type Key = (ProductId, Option<CompanyId>, Option<LicenseId>, String, String);

#[derive(Default)]
struct Figures {
    before: Option<i64>,
    now: Option<i64>,
    points: (Points, Points),
}

/// What differs between a month and the one before, which must have been submitted.
pub async fn month_difference(service: &Service, actor: &Actor, which: MonthRef) -> Result<Difference> {
    let mut read = service.store().read().await?;
    let (usage, _) = find(&mut read, actor, which).await?;
    let (provider, period) = (usage.provider, usage.period);
    let before = submission::last(&mut read, provider, period.prev()).await?;
    let before = before.ok_or_else(|| ProblemKind::NotFound.because("the month before was not submitted"))?;
    let month = Month::load(service, &mut read, usage, service.now()).await?;
    let is_confined = actor.site.is_some() && actor.org == provider;
    let month = confined(month, actor, provider);
    let mut found: BTreeMap<Key, Figures> = BTreeMap::new();
    for line in read_signed(&before.lines)?.into_iter().filter(|line| line.of_period.is_none()) {
        let own = |id: LicenseId| month.licenses.iter().any(|one| one.license.id == id);
        if line.workload.is_empty() || is_confined && !line.license.is_some_and(own) {
            continue;
        }
        let figures = found.entry((line.product, line.company, line.license, line.workload, line.variant)).or_default();
        figures.before = Some(figures.before.unwrap_or(0) + line.count);
        figures.points.0 += line.points;
    }
    let own = |line: &&crate::Line| line.of_period.is_none() && !line.workload.code.is_empty();
    for line in month.lines.iter().filter(own) {
        let (company, license) = (line.company.as_ref().map(|one| one.id), line.license.as_ref().map(|one| one.id));
        let (workload, variant) = (line.workload.code.clone(), line.workload.variant.clone());
        let figures = found.entry((line.product.id, company, license, workload, variant)).or_default();
        figures.now = Some(figures.now.unwrap_or(0) + line.count);
        figures.points.1 += line.points;
    }
    let points = found
        .values()
        .fold((Points::ZERO, Points::ZERO), |(before, now), one| (before + one.points.0, now + one.points.1));
    found.retain(|_, figures| figures.before != figures.now || figures.points.0 != figures.points.1);
    let rows = named(&mut read, provider, found).await?;
    Ok(Difference { period, before: period.prev(), points, rows })
}

async fn named(conn: &mut Conn, provider: OrgId, found: BTreeMap<Key, Figures>) -> Result<Vec<DifferenceRow>> {
    let products: HashMap<ProductId, String> = product::all(conn)
        .await?
        .into_iter()
        .map(|row| (row.id, format!("{} {}", row.name, row.edition).trim_end().to_owned()))
        .collect();
    let mut ids: Vec<CompanyId> = found.keys().filter_map(|key| key.1).collect();
    ids.sort_unstable();
    ids.dedup();
    let companies: HashMap<CompanyId, String> = if ids.is_empty() {
        HashMap::new()
    } else {
        rows::companies(conn, provider, &ids).await?.into_iter().collect()
    };
    let mut list: Vec<DifferenceRow> = found
        .into_iter()
        .map(|((product, company, license, workload, variant), figures)| DifferenceRow {
            product: Named { id: product, name: products.get(&product).cloned().unwrap_or_default() },
            company: company.map(|id| Named { id, name: companies.get(&id).cloned().unwrap_or_default() }),
            license,
            workload,
            variant,
            counts: (figures.before, figures.now),
            points: figures.points,
        })
        .collect();
    // The largest difference first: that is what somebody looks for.
    list.sort_by_key(|row| std::cmp::Reverse((row.points.1 - row.points.0).as_milli().unsigned_abs()));
    Ok(list)
}
