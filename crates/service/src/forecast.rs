//! What the running month comes to against the agreement, as far as weekly figures tell.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use tenure_core::{
    InstallationId, OrgId, Period, Points, ProductId, Weight,
    counting::watermark_high,
    forecast::{self, Outlook},
    roles::{Action, OrgKind},
};
use tenure_license::payload::WatermarkLine;
use tenure_store::{
    Conn,
    rows::{
        agreement, monthly_usage, obligation,
        product::{self, Weights},
        watermark,
    },
};

use crate::{
    Actor, Error, Month, ProblemKind, Result, Service, agreements, authorize::at_home, month_open::billed_under,
};

/// What a running month comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The month that runs.
    pub period: Period,
    /// Points if nothing more is protected than the weekly figures tell.
    pub reported: Points,
    /// Minimum commit that applies.
    pub commit: Points,
    /// What would be missing to it.
    pub enforcement: Points,
    /// What would lie above the agreement's limit.
    pub overage: Points,
    /// Installations that have sent weekly figures of this month.
    pub seen: u32,
    /// Installations that have not yet: the month before stands for them.
    pub unseen: u32,
}

/// What the actor's running month comes to; none without an agreement that runs, and for who is confined to one site.
pub async fn view_forecast(service: &Service, actor: &Actor) -> Result<Option<Forecast>> {
    let mut read = service.store().read().await?;
    if at_home(&mut read, actor, Action::View).await? != OrgKind::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    if actor.site.is_some() {
        return Ok(None);
    }
    let (provider, period) = (actor.org, Period::of(service.now()));
    let rows = agreement::of_provider(&mut read, provider).await?;
    let Some(row) = billed_under(&rows, period).filter(|row| agreements::terms(row).covers(period)) else {
        return Ok(None);
    };
    let expected = obligation::of_month(&mut read, provider, period).await?;
    // Who is expected is written down when the month opens, after its end; until then, whoever was and is not retired.
    let last = obligation::of_month(&mut read, provider, period.prev()).await?;
    let still = last.into_iter().filter(|row| row.retired.is_none());
    let products: HashMap<InstallationId, ProductId> =
        still.chain(expected).map(|row| (row.installation, row.product)).collect();
    let marks = weekly(&mut read, provider, period).await?;
    let seen: BTreeSet<InstallationId> = marks.keys().map(|key| key.0).collect();
    let before = before(service, &mut read, provider, period.prev()).await?;
    let weights = product::all_weights(&mut read, period).await?;
    let totals = forecast::forecast(
        outlooks(&products, &seen, &marks, &before, &weights),
        &agreements::terms(row).terms(),
        period,
    );
    let installations = products.len() as u32;
    let seen = products.keys().filter(|id| seen.contains(id)).count() as u32;
    Ok(Some(Forecast {
        period,
        reported: totals.reported,
        commit: totals.commit,
        enforcement: totals.enforcement,
        overage: totals.overage,
        seen,
        unseen: installations - seen,
    }))
}

type Key = (InstallationId, String, String);

/// The highest day of the month per installation and workload type.
async fn weekly(conn: &mut Conn, provider: OrgId, period: Period) -> Result<BTreeMap<Key, u32>> {
    let mut highs = BTreeMap::new();
    for row in watermark::of_month(conn, provider, period).await? {
        let lines: Vec<WatermarkLine> =
            serde_json::from_str(&row.lines).map_err(|_| Error::Internal("a stored watermark cannot be read"))?;
        for line in lines {
            if let Some(high) = watermark_high(period, [(row.week, line.daily.as_slice())]) {
                let held: &mut u32 = highs.entry((row.installation, line.workload, line.variant)).or_default();
                *held = (*held).max(high);
            }
        }
    }
    Ok(highs)
}

/// The figures of the month before, as they stand: of installations, and of products that do not report.
#[derive(Default)]
struct Before {
    installations: BTreeMap<Key, i64>,
    by_hand: Vec<(ProductId, String, String, i64)>,
}

async fn before(service: &Service, conn: &mut Conn, provider: OrgId, period: Period) -> Result<Before> {
    let mut found = Before::default();
    let Some(usage) = monthly_usage::find(conn, provider, period).await? else { return Ok(found) };
    let month = Month::load(service, conn, usage, service.now()).await?;
    for line in month.lines.into_iter().filter(|line| line.of_period.is_none() && !line.workload.code.is_empty()) {
        let (code, variant) = (line.workload.code.clone(), line.workload.variant.clone());
        match &line.installation {
            Some(one) => *found.installations.entry((one.id, code, variant)).or_default() += line.count,
            None => found.by_hand.push((line.product.id, code, variant, line.count)),
        }
    }
    Ok(found)
}

fn outlooks(
    products: &HashMap<InstallationId, ProductId>,
    seen: &BTreeSet<InstallationId>,
    marks: &BTreeMap<Key, u32>,
    before: &Before,
    weights: &BTreeMap<ProductId, Weights>,
) -> Vec<Outlook> {
    let weight = |product: &ProductId, code: &str, variant: &str| -> Option<Weight> {
        weights.get(product)?.get(&(code.to_owned(), variant.to_owned())).copied()
    };
    let mut lines = Vec::new();
    for (key, high) in marks {
        let found = products.get(&key.0).and_then(|product| weight(product, &key.1, &key.2));
        lines.extend(found.map(|weight| Outlook { highest: Some(*high), before: 0, weight }));
    }
    for (key, count) in before.installations.iter().filter(|(key, _)| !seen.contains(&key.0)) {
        // Who is not expected any more adds nothing.
        let found = products.get(&key.0).and_then(|product| weight(product, &key.1, &key.2));
        lines.extend(found.map(|weight| Outlook { highest: None, before: *count, weight }));
    }
    for (product, code, variant, count) in &before.by_hand {
        lines.extend(weight(product, code, variant).map(|weight| Outlook { highest: None, before: *count, weight }));
    }
    lines
}
