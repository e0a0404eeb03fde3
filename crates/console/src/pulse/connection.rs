//! `/pulse` itself: the console's connection and what it has turned on.

use axum::{extract::State, response::Response};
use serde_json::{Value, json};
use tenure_service::{self as service, Actor, ConsoleChange, ConsoleView};

use crate::{
    Console, answer,
    error::Refusal,
    listing::Selected,
    patch::{self, Patch},
    principal::Caller,
    write::Write,
};

/// The console's connection.
pub(crate) async fn show(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    Ok(answer::single(shown(&state, &actor).await?, &select))
}

/// Turns features on or off.
pub(crate) async fn change(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
    Write { body, .. }: Write<Patch>,
) -> Result<Response, Refusal> {
    let mut change = ConsoleChange::default();
    for (name, value) in patch::changes(body, &shown(&state, &actor).await?)? {
        let on = || patch::boolean(&name, &value).map(Some);
        match name.as_str() {
            "isCompanyMappingEnabled" => change.company_mapping = on()?,
            "isLicenseManagementEnabled" => change.license_management = on()?,
            "isPushingNewCompaniesToPulseEnabled" => change.pushes_companies = on()?,
            _ => return Err(patch::unknown(&name)),
        }
    }
    service::edit_console(&state.service, &actor, change).await?;
    Ok(answer::single(shown(&state, &actor).await?, &select))
}

/// Nothing is to be fetched, since the data is this server's own; the date of the last update moves.
pub(crate) async fn sync(State(state): State<Console>, Caller(actor): Caller) -> Result<Response, Refusal> {
    service::sync_console(&state.service, &actor).await?;
    Ok(answer::empty())
}

async fn shown(state: &Console, actor: &Actor) -> Result<Value, Refusal> {
    Ok(shape(&service::view_console(&state.service, actor).await?))
}

/// Whoever reads this is connected: an expired token is refused before.
fn shape(view: &ConsoleView) -> Value {
    json!({
        "isCompanyMappingEnabled": view.company_mapping,
        "isLicenseManagementEnabled": view.license_management,
        "isPushingNewCompaniesToPulseEnabled": view.pushes_companies,
        "token": null,
        "status": "Configured",
        "statusMessage": "",
        "lastUpdateDate": view.synced,
        "tokenExpirationDate": view.token_expires,
    })
}
