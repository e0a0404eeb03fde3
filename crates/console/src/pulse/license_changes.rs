//! What is done to a license: made, changed, copied, revoked, deleted, downloaded, installed.

use axum::{
    extract::{Path, Query, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::Value;
use tenure_core::{AgreementId, CompanyId, Day, InstallationId, ProductId, TemplateId, Timestamp, UsageType};
use tenure_service::{
    self as service, Actor, Idempotency, LicenseEdit, LicenseKey, LicenseMove, NewLicense, ProblemKind, WorkloadCount,
};
use uuid::Uuid;

use super::{
    catalog,
    licenses::{key, shown},
};
use crate::{
    Console, answer,
    error::Refusal,
    listing::Selected,
    patch::{self, Patch},
    principal::Caller,
    write::{Named, Write},
};

/// A license to create.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Input {
    product_id: String,
    contract_id: String,
    expiration_date: String,
    workloads: Vec<WorkloadInput>,
    #[serde(default)]
    description: Option<String>,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    is_automatic_reporting_enabled: Option<bool>,
}

/// A licensed count.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct WorkloadInput {
    workload_id: String,
    count: u32,
}

impl From<WorkloadInput> for WorkloadCount {
    fn from(input: WorkloadInput) -> Self {
        let (workload, variant) = input.workload_id.split_once('/').unwrap_or((&input.workload_id, ""));
        Self { workload: workload.to_owned(), variant: variant.to_owned(), count: input.count }
    }
}

/// Creates a license: one that is rented is a template until it is assigned, the provider's own is assigned to it.
pub(crate) async fn create(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
    Write { body, name }: Write<Input>,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let usage_type = match body.kind.as_deref() {
        None | Some("Rental") => UsageType::SingleCustomer,
        Some("Internal") => UsageType::Internal,
        Some(_) => return Err(Refusal::invalid("`type` must be Rental or Internal")),
    };
    let product = Uuid::try_parse(&body.product_id).map(ProductId::from_uuid);
    let wanted = NewLicense {
        agreement: contract(&state, &actor, &body.contract_id).await?,
        product: product.map_err(|_| ProblemKind::NotFound.because("there is no such product"))?,
        usage_type,
        description: body.description.unwrap_or_default(),
        site: None,
        company: None,
        automatic: body.is_automatic_reporting_enabled.unwrap_or(false),
        last_day: Some(last_day(&body.expiration_date)?),
        workloads: body.workloads.into_iter().map(WorkloadCount::from).collect(),
    };
    let created = service::create_license(&state.service, &actor, wanted, name).await?;
    Ok(answer::single(shown(&state, &actor, created.template).await?, &select))
}

/// The agreement that a contract's number names; where a number was given twice, the one that began last.
async fn contract(state: &Console, actor: &Actor, number: &str) -> Result<AgreementId, Refusal> {
    let agreements = catalog::agreements(state, actor).await?;
    let named = agreements.iter().map(|view| &view.agreement).filter(|agreement| agreement.number == number);
    let newest = named.max_by_key(|agreement| (agreement.terminated.is_none(), agreement.signed));
    let found = newest.ok_or_else(|| ProblemKind::NotFound.because("there is no such contract"))?;
    Ok(found.id)
}

/// The last day of a validity that is to reach an instant: what ends at midnight ends with the day before.
fn last_day(text: &str) -> Result<Day, Refusal> {
    let at: Timestamp =
        text.parse().map_err(|_| Refusal::invalid("`expirationDate` must be an RFC 3339 date and time"))?;
    Ok(Day::of(at.plus_micros(-1)))
}

/// Changes a license: description, workloads, end, automatic reporting, who holds it. All of a patch is read before any of it
/// is done; what is done is done in that order.
pub(crate) async fn change(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
    Write { body, name }: Write<Patch>,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let id = key(&uid)?;
    let before = shown(&state, &actor, id).await?;
    let wish = Wish::read(patch::changes(body, &before)?)?;
    let license = LicenseKey::Template(id);
    if wish.edit != LicenseEdit::default() {
        service::edit_license(&state.service, &actor, license, wish.edit, name.clone()).await?;
    }
    if let Some(on) = wish.automatic {
        service::switch_reporting(&state.service, &actor, license, on, name.clone()).await?;
    }
    match wish.holder {
        Holder::Kept => {}
        Holder::Nobody => hold(&state, &actor, id, None, name).await?,
        Holder::Company(company) => hold(&state, &actor, id, Some(company), name).await?,
    }
    Ok(answer::single(shown(&state, &actor, id).await?, &select))
}

/// What a patch asks for.
#[derive(Default)]
struct Wish {
    edit: LicenseEdit,
    automatic: Option<bool>,
    holder: Holder,
}

/// Who shall hold the license.
#[derive(Default)]
enum Holder {
    /// As it is.
    #[default]
    Kept,
    /// Nobody: it becomes a template.
    Nobody,
    /// A company or reseller.
    Company(CompanyId),
}

impl Wish {
    fn read(changes: Vec<(String, Value)>) -> Result<Self, Refusal> {
        let mut wish = Self::default();
        for (name, value) in changes {
            let text = || value.as_str().ok_or_else(|| Refusal::invalid(format!("`{name}` must be a text")));
            match name.as_str() {
                "description" if value.is_null() => wish.edit.description = Some(String::new()),
                "description" => wish.edit.description = Some(text()?.to_owned()),
                "workloads" => wish.edit.workloads = Some(workloads(&value)?),
                "expirationDate" => wish.edit.last_day = Some(last_day(text()?)?),
                "automaticReportingStatus" => wish.automatic = Some(on(text()?)?),
                "assignedCompanyUid" | "assignedResellerUid" => {
                    // Who names one of them and clears the other means the one that is named.
                    match (company(&name, &value)?, &wish.holder) {
                        (Some(company), _) => wish.holder = Holder::Company(company),
                        (None, Holder::Company(_)) => {}
                        (None, _) => wish.holder = Holder::Nobody,
                    }
                }
                _ => return Err(patch::unknown(&name)),
            }
        }
        Ok(wish)
    }
}

fn company(name: &str, value: &Value) -> Result<Option<CompanyId>, Refusal> {
    if value.is_null() {
        return Ok(None);
    }
    let id = value.as_str().and_then(|text| Uuid::try_parse(text).ok());
    id.map(|id| Some(CompanyId::from_uuid(id))).ok_or_else(|| Refusal::invalid(format!("`{name}` must be a UUID")))
}

fn on(status: &str) -> Result<bool, Refusal> {
    match status {
        "On" | "SwitchingToOn" | "AlwaysOn" => Ok(true),
        "Off" | "SwitchingToOff" | "AlwaysOff" => Ok(false),
        _ => Err(Refusal::invalid("`automaticReportingStatus` must be On or Off")),
    }
}

/// The workloads of a patch, also where a client sends every value as text.
fn workloads(value: &Value) -> Result<Vec<WorkloadCount>, Refusal> {
    let parsed: Result<Vec<WorkloadInput>, _> = match value {
        Value::String(text) => serde_json::from_str(text),
        other => serde_json::from_value(other.clone()),
    };
    let parsed = parsed.map_err(|error| Refusal::invalid(format!("`workloads`: {error}")))?;
    Ok(parsed.into_iter().map(WorkloadCount::from).collect())
}

/// Assigns a template, moves a license to another company, or makes a template of it again.
async fn hold(
    state: &Console,
    actor: &Actor,
    id: TemplateId,
    holder: Option<CompanyId>,
    name: Option<Idempotency>,
) -> Result<(), Refusal> {
    let (service, license) = (&state.service, LicenseKey::Template(id));
    let (view, _) = service::view_license(service, actor, None, license).await?;
    match (view.license, holder) {
        (None, None) => {}
        (Some(_), None) => service::revoke_license(service, actor, license, name).await?,
        (None, Some(company)) => {
            service::assign_license(service, actor, id, Some(company), name).await?;
        }
        (Some(_), Some(company)) if view.company.as_ref().is_some_and(|held| held.id == company) => {}
        (Some(_), Some(company)) => {
            let to = LicenseMove { company: Some(company), site: None };
            service::move_license(service, actor, license, to, name).await?;
        }
    }
    Ok(())
}

/// Copies a license; answers with the copy.
pub(crate) async fn copy(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
    Named(name): Named,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let license = LicenseKey::Template(key(&uid)?);
    let made = service::copy_license(&state.service, &actor, license, name).await?;
    Ok(answer::single(shown(&state, &actor, made).await?, &select))
}

/// Makes a template of a license again.
pub(crate) async fn revoke(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Named(name): Named,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    service::revoke_license(&state.service, &actor, LicenseKey::Template(key(&uid)?), name).await?;
    Ok(answer::empty())
}

/// Deletes a license or template.
pub(crate) async fn delete(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Named(name): Named,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    service::delete_license(&state.service, &actor, LicenseKey::Template(key(&uid)?), name).await?;
    Ok(answer::empty())
}

/// The text of an activation license's file. Each download makes another one-time code.
pub(crate) async fn download(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let license = LicenseKey::Template(key(&uid)?);
    let file = service::download_license(&state.service, &actor, license, None).await?;
    Ok(answer::single(Value::String(file.content), &crate::select::Select::default()))
}

/// Where a license is to be installed.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Target {
    server_uid: String,
}

/// Hands the newest license to one of its servers, whatever that server's setting, at its next check-in.
pub(crate) async fn install(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    target: Result<Query<Target>, axum::extract::rejection::QueryRejection>,
) -> Result<Response, Refusal> {
    service::console_manages_licenses(&state.service, &actor).await?;
    let Query(Target { server_uid }) = target.map_err(|_| Refusal::invalid("`serverUid` must name a server"))?;
    let server = Uuid::try_parse(&server_uid).map(InstallationId::from_uuid);
    let server = server.map_err(|_| ProblemKind::NotFound.because("there is no such server"))?;
    service::install_license(&state.service, &actor, LicenseKey::Template(key(&uid)?), server).await?;
    Ok(answer::empty())
}
