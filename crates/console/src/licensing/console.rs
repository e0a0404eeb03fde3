//! `/licensing/console`: the license of the provider's own console, where its product is one of the catalog's.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};
use tenure_core::InstallationId;
use tenure_service::{self as service, Actor, ProblemKind, ServerRow};

use super::{
    family::Family,
    servers::{Around, rows},
};
use crate::{
    Console, answer, error::Refusal, license_file::Uploaded, listing::Selected, principal::Caller, select::Select,
};

/// The console's installation: the newest of its family; none where the console is licensed elsewhere.
async fn find(state: &Console, actor: &Actor, around: &Around) -> Result<Option<ServerRow>, Refusal> {
    Ok(rows(state, actor).await?.into_iter().find(|row| around.family(row) == Some(Family::Console)))
}

fn shape(row: Option<&ServerRow>, around: &Around) -> Value {
    let license = row.and_then(|row| around.license(row));
    let expires = license.and_then(|view| view.life.as_ref()).map(|life| life.expires);
    let instances: u32 = license.map_or(0, |view| view.workloads.iter().map(|each| each.count).sum());
    json!({
        "licenseId": row.map_or(String::new(), |row| row.license.uuid().to_string()),
        "edition": license.map_or("", |view| view.product.edition.as_str()),
        "licenseeCompany": row.and_then(|row| row.company_name.clone()).unwrap_or_default(),
        "licenseeEmail": "",
        "licenseeAdministratorEmail": "",
        "contactPerson": "",
        "package": "None",
        "supportId": "",
        "cloudConnect": "No",
        "instances": f64::from(instances),
        "expirationDate": expires,
        "supportExpirationDate": expires,
        "status": row.map_or("Unknown", |row| around.status(row)),
        "statusMessage": "",
        "type": if row.is_some() { "Rental" } else { "NotInstalled" },
        "lastUpdateDate": row.map(|row| row.seen),
        "lastUpdateStatus": if row.is_some_and(|row| row.shown == row.issued) { "Success" } else { "Unknown" },
        "lastUpdateMessage": "",
    })
}

async fn shown(state: &Console, actor: &Actor, select: &Select) -> Result<Response, Refusal> {
    let around = Around::of(state, actor).await?;
    let row = find(state, actor, &around).await?;
    Ok(answer::single(shape(row.as_ref(), &around), select))
}

/// The console's license.
pub(crate) async fn show(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    shown(&state, &actor, &select).await
}

/// Whether the console installs new licenses by itself.
pub(crate) async fn settings(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    let around = Around::of(&state, &actor).await?;
    let row = find(&state, &actor, &around).await?;
    let data = json!({ "isAutoUpdateEnabled": row.is_some_and(|row| row.auto_update) });
    Ok(answer::single(data, &select))
}

/// Has the console take its newest license at its next check-in.
pub(crate) async fn update(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    let id = installed(&state, &actor).await?;
    service::update_installation_now(&state.service, &actor, id).await?;
    shown(&state, &actor, &select).await
}

/// Hands the license of a file to the console that runs it.
pub(crate) async fn install(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
    Uploaded(file): Uploaded,
) -> Result<Response, Refusal> {
    let id = installed(&state, &actor).await?;
    service::install_license_file(&state.service, &actor, &file, id).await?;
    shown(&state, &actor, &select).await
}

async fn installed(state: &Console, actor: &Actor) -> Result<InstallationId, Refusal> {
    service::console_manages_licenses(&state.service, actor).await?;
    let row = find(state, actor, &Around::of(state, actor).await?).await?;
    Ok(row.ok_or_else(|| ProblemKind::NotFound.because("no console holds a license here"))?.id)
}
