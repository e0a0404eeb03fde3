//! `/licensing/usage/organizations`: what the newest month shows so far, by company and server.

use std::collections::BTreeMap;

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tenure_core::{CompanyId, InstallationId};
use tenure_service::{Line, Month};
use uuid::Uuid;

use super::{family::Family, newest};
use crate::{
    Console,
    answer::{points, weight},
    error::Refusal,
    listing::Listing,
    principal::Caller,
    pulse::Resellers,
};

/// What the list is narrowed to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Narrowed {
    organization_uid: Option<Uuid>,
    organization_type: Option<String>,
    provider_uid: Option<Uuid>,
    server_uid: Option<Uuid>,
    server_type: Option<String>,
}

/// Usage by organization.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    narrowed: Result<Query<Narrowed>, QueryRejection>,
    listing: Listing,
) -> Result<Response, Refusal> {
    let Query(narrowed) = narrowed.map_err(|error| Refusal::invalid(error.body_text()))?;
    let month = newest(&state, &actor).await?;
    let resellers = Resellers::of(&state, &actor).await?;
    Ok(listing.of(month.iter().flat_map(|month| organizations(month, &narrowed, &resellers)).collect()))
}

fn organizations(month: &Month, narrowed: &Narrowed, resellers: &Resellers) -> Vec<Value> {
    let mut holders: BTreeMap<Option<CompanyId>, BTreeMap<InstallationId, Vec<&Line>>> = BTreeMap::new();
    for line in &month.lines {
        let Some(server) = &line.installation else { continue };
        let company = line.company.as_ref().map(|company| company.id);
        holders.entry(company).or_default().entry(server.id).or_default().push(line);
    }
    let provider = month.head.provider.id.uuid();
    let wanted = |kind: &str, uid: Uuid| {
        narrowed.organization_uid.is_none_or(|wanted| wanted == uid)
            && narrowed.organization_type.as_deref().is_none_or(|wanted| wanted == kind)
            && narrowed.provider_uid.is_none_or(|wanted| wanted == provider)
    };
    let mut rows = Vec::new();
    for (company, servers) in &holders {
        let (kind, uid) = (resellers.organization_type(*company), company.map_or(provider, CompanyId::uuid));
        let servers: Vec<Value> = servers.iter().filter_map(|(id, lines)| server(*id, lines, narrowed)).collect();
        if wanted(kind, uid) && !servers.is_empty() {
            rows.push(json!({
                "organizationUid": uid, "organizationType": kind,
                "providerUid": company.map(|_| provider), "servers": servers,
            }));
        }
    }
    rows
}

fn server(id: InstallationId, lines: &[&Line], narrowed: &Narrowed) -> Option<Value> {
    let kind = lines.first().map_or("Unknown", |line| Family::of(&line.product.code).word());
    let wanted = narrowed.server_uid.is_none_or(|wanted| wanted == id.uuid())
        && narrowed.server_type.as_deref().is_none_or(|wanted| wanted == kind);
    let counted = lines.iter().filter(|line| !line.workload.code.is_empty());
    wanted.then(|| json!({ "serverUid": id.uuid(), "serverType": kind, "workloads": counted.map(|line| workload(line)).collect::<Vec<_>>() }))
}

fn workload(line: &Line) -> Value {
    let per_unit = line.weight.map_or(0.0, weight);
    let (rental, used) = (i64::from(line.licensed.unwrap_or(0)), line.count);
    let counts = json!({
        "rentalCount": rental,
        "newCount": line.new,
        "usedCount": used,
        "rentalUnits": line.weight.map_or(0.0, |weight| points(weight.times(rental))),
        "newUnits": line.weight.map_or(0.0, |weight| points(weight.times(i64::from(line.new)))),
        "usedUnits": points(line.points),
    });
    let mut platform = counts.clone();
    platform["typeId"] = json!(crate::pulse::workload_id(&line.workload.code, &line.workload.variant));
    platform["description"] = json!(line.workload.name);
    platform["weight"] = json!(per_unit);
    let mut shown = counts;
    shown["id"] = json!(stable_id(line));
    shown["description"] = json!(line.workload.name);
    shown["unitType"] = json!("Points");
    shown["workloadsByPlatform"] = json!([platform]);
    shown
}

/// A UUID that names a workload type of a product for ever.
fn stable_id(line: &Line) -> Uuid {
    let hash = Sha256::new()
        .chain_update(line.product.id.uuid().as_bytes())
        .chain_update(&line.workload.code)
        .chain_update([0])
        .chain_update(&line.workload.variant)
        .finalize();
    let mut bytes = [0; 16];
    bytes.copy_from_slice(&hash[..16]);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
