//! `GET /pulse/monthlyUsages`: months by tenant.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::Period;
use tenure_service::{self as service, Line, Month, MonthRef};
use uuid::Uuid;

use crate::{
    Console,
    answer::{points, weight},
    error::Refusal,
    licensing::of_months,
    listing::Listing,
    principal::Caller,
};

/// The first and the last month wanted.
#[derive(Deserialize)]
pub(crate) struct Span {
    from: Option<String>,
    to: Option<String>,
}

/// Months by tenant, newest first.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    span: Result<Query<Span>, QueryRejection>,
    listing: Listing,
) -> Result<Response, Refusal> {
    let Query(span) = span.map_err(|error| Refusal::invalid(error.body_text()))?;
    let (from, to) = (month("from", span.from.as_deref())?, month("to", span.to.as_deref())?);
    let mut months = of_months(&state, &actor).await?;
    months.retain(|month| from.is_none_or(|from| month.period >= from) && to.is_none_or(|to| month.period <= to));
    let (months, total) = listing.narrowed(months);
    let mut rows = Vec::new();
    for summary in months {
        rows.push(shape(&service::view_month(&state.service, &actor, MonthRef::Id(summary.id)).await?));
    }
    Ok(listing.page(rows, total))
}

/// A month, also as the beginning of a date or an instant.
fn month(name: &str, text: Option<&str>) -> Result<Option<Period>, Refusal> {
    let Some(text) = text.filter(|text| !text.is_empty()) else { return Ok(None) };
    let month = text.get(..7).and_then(|month| month.parse().ok());
    month.map(Some).ok_or_else(|| Refusal::invalid(format!("`{name}` must begin with a month such as 2026-01")))
}

fn shape(month: &Month) -> Value {
    let mut tenants: BTreeMap<Uuid, Vec<&Line>> = BTreeMap::new();
    for line in month.lines.iter().filter(|line| !line.workload.code.is_empty()) {
        let tenant = line.company.as_ref().map_or(month.head.provider.id.uuid(), |company| company.id.uuid());
        tenants.entry(tenant).or_default().push(line);
    }
    let tenants: Vec<Value> = tenants
        .iter()
        .map(|(tenant, lines)| {
            let workloads: Vec<Value> = lines.iter().map(|line| workload(line)).collect();
            json!({ "tenantUid": tenant, "workloads": workloads })
        })
        .collect();
    json!({ "month": month.head.period, "tenants": tenants })
}

fn workload(line: &Line) -> Value {
    json!({
        "productCode": line.product.code,
        "productName": line.product.name,
        "unitType": line.workload.name,
        "usedUnits": line.count as f64,
        "totalUnits": f64::from(line.licensed.unwrap_or(0)),
        "weight": line.weight.map_or(0.0, weight),
        "usedPoints": points(line.points),
        // What is committed to is a number of points for the whole agreement.
        "minCommitQty": 0.0,
        "minCommitEnforcement": 0.0,
        "location": "",
    })
}
