//! Tenants: the provider's companies. Console and portal look at the same ones, so each is mapped to itself.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_core::CompanyId;
use tenure_service::{self as service, Actor, CompanyFilter, CompanyKind, CompanyRow, ProblemKind};
use uuid::Uuid;

use crate::{
    Console, answer,
    error::Refusal,
    listing::{Listing, Selected, all},
    principal::Caller,
};

/// The provider's companies, resellers included.
pub(crate) async fn companies(state: &Console, actor: &Actor) -> Result<Vec<CompanyRow>, Refusal> {
    let filter = CompanyFilter::default();
    all(async |paging| service::list_companies(&state.service, actor, None, filter.clone(), &paging).await).await
}

/// All tenants.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
) -> Result<Response, Refusal> {
    let rows = companies(&state, &actor).await?;
    let mapping = Mapping::of(&state, &actor, &rows).await?;
    Ok(listing.of(rows.iter().map(|row| mapping.tenant(row)).collect()))
}

/// How companies stand to each other: which were merged, and which might be one.
struct Mapping {
    enabled: bool,
    merged: BTreeMap<CompanyId, Vec<CompanyId>>,
    namesakes: BTreeMap<CompanyId, CompanyId>,
}

impl Mapping {
    async fn of(state: &Console, actor: &Actor, rows: &[CompanyRow]) -> Result<Self, Refusal> {
        let enabled = service::view_console(&state.service, actor).await?.company_mapping;
        let mut merged: BTreeMap<CompanyId, Vec<CompanyId>> = BTreeMap::new();
        for row in rows {
            if let Some(into) = row.merged_into {
                merged.entry(into).or_default().push(row.id);
            }
        }
        let found = service::preview_merges(&state.service, actor).await?;
        let namesakes =
            found.iter().flat_map(|group| group.others.iter().map(|other| (other.company.id, group.keep.company.id)));
        Ok(Self { enabled, merged, namesakes: namesakes.collect() })
    }

    fn tenant(&self, row: &CompanyRow) -> Value {
        let merged = self.merged.get(&row.id).into_iter().flatten().map(|id| id.uuid());
        let message = match self.namesakes.get(&row.id) {
            Some(keep) => format!("{} carries the same name; if they are one, merge this one into it.", keep.uuid()),
            None => String::new(),
        };
        json!({
            "instanceUid": row.id.uuid(),
            "mappingStatus": if self.enabled { "Mapped" } else { "NotMapped" },
            "mappingStatusMessage": message,
            "name": row.name,
            "mappedMasterOrganizationUid": self.enabled.then(|| row.merged_into.unwrap_or(row.id).uuid()),
            "mergedOrganizationUids": merged.collect::<Vec<_>>(),
        })
    }
}

/// One tenant.
pub(crate) async fn show(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    Ok(answer::single(shown(&state, &actor, company(&uid)?).await?, &select))
}

pub(super) async fn shown(state: &Console, actor: &Actor, id: CompanyId) -> Result<Value, Refusal> {
    let row = service::view_company(&state.service, actor, None, id).await?;
    let rows = companies(state, actor).await?;
    Ok(Mapping::of(state, actor, &rows).await?.tenant(&row))
}

pub(super) fn company(uid: &str) -> Result<CompanyId, Refusal> {
    Ok(Uuid::try_parse(uid).map(CompanyId::from_uuid).map_err(|_| ProblemKind::NotFound)?)
}

/// Which company a tenant is made of.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Of {
    company_uid: String,
}

/// The tenant of a company: it is there as soon as the company is.
pub(crate) async fn create(
    State(state): State<Console>,
    Caller(actor): Caller,
    of: Result<Query<Of>, axum::extract::rejection::QueryRejection>,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    service::console_maps_companies(&state.service, &actor).await?;
    let Query(of) = of.map_err(|_| Refusal::invalid("`companyUid` must name a company"))?;
    Ok(answer::single(shown(&state, &actor, company(&of.company_uid)?).await?, &select))
}

/// The company of a tenant: it is there as soon as the tenant is.
pub(crate) async fn create_company(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    service::console_maps_companies(&state.service, &actor).await?;
    let row = service::view_company(&state.service, &actor, None, company(&uid)?).await?;
    Ok(answer::single(organization(row.id.uuid(), &row.name, company_type(row.kind)), &select))
}

/// What a company is, in the console's word.
pub(crate) const fn company_type(kind: CompanyKind) -> &'static str {
    match kind {
        CompanyKind::Reseller => "Reseller",
        CompanyKind::Customer => "Company",
    }
}

/// Which of the provider's companies are resellers.
#[derive(Debug, Default)]
pub(crate) struct Resellers(BTreeSet<CompanyId>);

impl Resellers {
    pub(crate) async fn of(state: &Console, actor: &Actor) -> Result<Self, Refusal> {
        let filter = CompanyFilter { kind: Some(CompanyKind::Reseller), ..CompanyFilter::default() };
        let rows =
            all(async |paging| service::list_companies(&state.service, actor, None, filter.clone(), &paging).await);
        Ok(Self(rows.await?.into_iter().map(|row| row.id).collect()))
    }

    pub(crate) fn have(&self, company: CompanyId) -> bool {
        self.0.contains(&company)
    }

    /// What the holder of usage is, in the console's word: the provider itself where there is no company.
    pub(crate) fn organization_type(&self, holder: Option<CompanyId>) -> &'static str {
        let kind = |id| if self.have(id) { CompanyKind::Reseller } else { CompanyKind::Customer };
        holder.map_or("Provider", |id| company_type(kind(id)))
    }
}

/// Where an organization is and how it is reached: not known here.
const UNKNOWN: [&str; 17] = [
    "taxId",
    "legalName",
    "email",
    "phone",
    "country",
    "state",
    "countryName",
    "regionName",
    "city",
    "street",
    "locationAdmin0Code",
    "locationAdmin1Code",
    "locationAdmin2Code",
    "notes",
    "zipCode",
    "domain",
    "website",
];

/// An organization as consoles show it.
pub(crate) fn organization(id: Uuid, name: &str, kind: &str) -> Value {
    let mut shown = json!({
        "instanceUid": id,
        "name": name,
        "alias": null,
        "type": kind,
        "companyId": null,
        "veeamTenantId": id.to_string(),
    });
    for name in UNKNOWN {
        shown[name] = Value::Null;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_holds_usage_has_one_type_everywhere() {
        let id = |text: &str| -> CompanyId { text.parse().expect("an id") };
        let (reseller, company) =
            (id("com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398f"), id("com_0191f3c4-7e2a-7cc3-98c4-dc0c0c07398e"));
        let resellers = Resellers(BTreeSet::from([reseller]));
        let types = [None, Some(reseller), Some(company)].map(|holder| resellers.organization_type(holder));
        assert_eq!(types, ["Provider", "Reseller", "Company"]);
    }
}
