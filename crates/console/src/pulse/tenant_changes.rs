//! `PATCH /pulse/tenants/{id}`: which companies are one. Console and portal look at the same companies, so that mapping a
//! tenant to another organization is merging the two.

use std::collections::BTreeSet;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use tenure_core::CompanyId;
use tenure_service::{self as service, Actor, CompanyChange, Idempotency, IfMatch};
use uuid::Uuid;

use super::tenants::{company, shown};
use crate::{
    Console, answer,
    error::Refusal,
    listing::Selected,
    patch::{self, Patch},
    principal::Caller,
    write::Write,
};

/// Merges companies into the tenant's, merges it into another, or takes one out again.
pub(crate) async fn change(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
    Write { body, name }: Write<Patch>,
) -> Result<Response, Refusal> {
    service::console_maps_companies(&state.service, &actor).await?;
    let id = company(&uid)?;
    let before = shown(&state, &actor, id).await?;
    let mut wishes = Vec::new();
    for (property, value) in patch::changes(body, &before)? {
        wishes.push(match property.as_str() {
            "mergedOrganizationUids" => Wish::Merged(uids(&property, &value)?),
            "mappedMasterOrganizationUid" => Wish::Master(uid_or_none(&property, &value)?),
            _ => return Err(patch::unknown(&property)),
        });
    }
    for wish in wishes {
        match wish {
            Wish::Merged(wanted) => merge(&state, &actor, id, &wanted, &before, name.clone()).await?,
            Wish::Master(master) => master_of(&state, &actor, id, master, name.clone()).await?,
        }
    }
    Ok(answer::single(shown(&state, &actor, id).await?, &select))
}

/// What a patch asks for.
enum Wish {
    /// Exactly these are merged into the tenant's company.
    Merged(BTreeSet<CompanyId>),
    /// The tenant's company is merged into this one; none or itself takes it out again.
    Master(Option<CompanyId>),
}

async fn merge(
    state: &Console,
    actor: &Actor,
    id: CompanyId,
    wanted: &BTreeSet<CompanyId>,
    before: &Value,
    name: Option<Idempotency>,
) -> Result<(), Refusal> {
    let merged = uids("mergedOrganizationUids", &before["mergedOrganizationUids"])?;
    if wanted.difference(&merged).next().is_some() {
        service::merge_companies(&state.service, actor, id, wanted - &merged, name).await?;
    }
    for gone in merged.difference(wanted) {
        open(state, actor, *gone).await?;
    }
    Ok(())
}

async fn master_of(
    state: &Console,
    actor: &Actor,
    id: CompanyId,
    master: Option<CompanyId>,
    name: Option<Idempotency>,
) -> Result<(), Refusal> {
    if let Some(into) = master.filter(|into| *into != id) {
        return Ok(service::merge_companies(&state.service, actor, into, BTreeSet::from([id]), name).await?);
    }
    let row = service::view_company(&state.service, actor, None, id).await?;
    match (row.merged_into, master) {
        (Some(_), _) => open(state, actor, id).await,
        (None, Some(_)) => Ok(()),
        (None, None) => {
            let words =
                "a tenant and its company are one here; turn `isCompanyMappingEnabled` off to show none as mapped";
            Err(Refusal::invalid(words))
        }
    }
}

/// Takes a company out of the one it was merged into.
async fn open(state: &Console, actor: &Actor, id: CompanyId) -> Result<(), Refusal> {
    let change = CompanyChange { open: Some(true), ..CompanyChange::default() };
    service::edit_company(&state.service, actor, id, IfMatch::Any, change).await?;
    Ok(())
}

fn uids(name: &str, value: &Value) -> Result<BTreeSet<CompanyId>, Refusal> {
    let wrong = || Refusal::invalid(format!("`{name}` must be a list of UUIDs"));
    if value.is_null() {
        return Ok(BTreeSet::new());
    }
    // Some clients send every value as text.
    let list: Vec<Value> = match value {
        Value::String(text) => serde_json::from_str(text),
        other => serde_json::from_value(other.clone()),
    }
    .map_err(|_| wrong())?;
    list.iter().map(|one| uid_or_none(name, one)?.ok_or_else(wrong)).collect()
}

fn uid_or_none(name: &str, value: &Value) -> Result<Option<CompanyId>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let uid = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    uid.map(|uid| Some(CompanyId::from_uuid(uid))).ok_or_else(|| Refusal::invalid(format!("`{name}` must be a UUID")))
}
