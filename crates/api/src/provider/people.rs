//! The people of an organization.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_core::roles::Role;
use tenure_service as service;
use tenure_service::{Paging, PersonFilter, ProblemKind};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, Seen, Tagged, id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_people, create_person))
        .routes(routes!(get_person, edit_person))
        .routes(routes!(send_password_link))
        .routes(routes!(end_sessions_of_person))
        .routes(routes!(reset_second_step))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// A role, as `provider_full_access`.
    role: Option<String>,
    /// Only those who may sign in, or only those who may not.
    active: Option<bool>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List people
///
/// Those of an organization in the order they were added: the caller's own, or any for the vendor.
#[utoipa::path(
    get,
    path = "/organizations/{organization}/people",
    tag = "people",
    params(("organization" = String, Path, description = "The organization"), ListQuery),
    responses((status = 200, body = wire::PersonPage), (status = "4XX", body = ProblemBody))
)]
async fn list_people(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::PersonPage>, ApiProblem> {
    let filter = PersonFilter { role: query.role.as_deref().map(role).transpose()?, active: query.active };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_people(&state.service, &actor, id(&organization)?, filter, &paging).await?.map(shape);
    Ok(Json(wire::PersonPage { items: page.items, next: page.next }))
}

/// Add a person to an organization
///
/// For the organization's own administrators, and the vendor's for any. Nobody gives a role that may do more than their own.
/// The first password is in the answer, once.
#[utoipa::path(
    post,
    path = "/organizations/{organization}/people",
    tag = "people",
    params(
        ("organization" = String, Path, description = "The organization"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewPerson,
    responses((status = 201, body = wire::CreatedPerson), (status = "4XX", body = ProblemBody))
)]
async fn create_person(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(organization): Path<String>,
    Once { body, idempotency }: Once<wire::NewPerson>,
) -> Result<(StatusCode, Json<wire::CreatedPerson>), ApiProblem> {
    let org = id(&organization)?;
    let input =
        service::NewPerson { org, email: body.email, name: body.name, role: role(&body.role)?, site: body.site };
    let created = service::create_person(&state.service, &actor, input, idempotency).await?;
    let body = wire::CreatedPerson { id: created.id, password: created.password.to_string() };
    Ok((StatusCode::CREATED, Json(body)))
}

/// Show a person
///
/// Of the caller's organization, or any for the vendor. The answer's `ETag` names what an edit means.
#[utoipa::path(
    get,
    path = "/people/{person}",
    tag = "people",
    params(("person" = String, Path, description = "The person")),
    responses((status = 200, body = wire::Person), (status = "4XX", body = ProblemBody))
)]
async fn get_person(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(person): Path<String>,
) -> Result<Tagged<wire::Person>, ApiProblem> {
    let row = service::view_person(&state.service, &actor, id(&person)?).await?;
    Ok(Tagged(service::person_tag(&row), shape(row)))
}

/// Change a person's name, role, site or access
///
/// For the organization's administrators, and the vendor's for any. Nobody changes their own role or access, gives or takes
/// a role that may do more than their own, or removes the last administrator.
#[utoipa::path(
    patch,
    path = "/people/{person}",
    tag = "people",
    params(
        ("person" = String, Path, description = "The person"),
        ("if-match" = String, Header, description = "The person's `ETag`")
    ),
    request_body = wire::PersonChange,
    responses((status = 200, body = wire::Person), (status = "4XX", body = ProblemBody))
)]
async fn edit_person(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(person): Path<String>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::PersonChange>,
) -> Result<Tagged<wire::Person>, ApiProblem> {
    let input = service::PersonChange {
        name: body.name,
        role: body.role.as_deref().map(role).transpose()?,
        site: body.site,
        active: body.active,
    };
    let row = service::edit_person(&state.service, &actor, id(&person)?, seen, input).await?;
    Ok(Tagged(service::person_tag(&row), shape(row)))
}

/// Send a person a link to set a password
///
/// For who may manage the person. The link goes to the person alone, works once and for 24 hours; the present password
/// stays until then.
#[utoipa::path(
    post,
    path = "/people/{person}/password-link",
    tag = "people",
    params(("person" = String, Path, description = "The person")),
    responses((status = 200, body = wire::PasswordLinkSent), (status = "4XX", body = ProblemBody))
)]
async fn send_password_link(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(person): Path<String>,
) -> Result<Json<wire::PasswordLinkSent>, ApiProblem> {
    let until = service::send_password_link(&state.service, &actor, id(&person)?).await?;
    Ok(Json(wire::PasswordLinkSent { until }))
}

/// Sign a person out everywhere
///
/// For who may manage the person.
#[utoipa::path(
    delete,
    path = "/people/{person}/sessions",
    tag = "people",
    params(("person" = String, Path, description = "The person")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn end_sessions_of_person(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(person): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::end_sessions_of(&state.service, &actor, id(&person)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove a person's second step
///
/// For who may manage the person, as after a lost phone; nobody removes their own this way. The person is signed out
/// everywhere and told by letter.
#[utoipa::path(
    delete,
    path = "/people/{person}/second-step",
    tag = "people",
    params(("person" = String, Path, description = "The person")),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn reset_second_step(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(person): Path<String>,
) -> Result<StatusCode, ApiProblem> {
    service::reset_second_step(&state.service, &actor, id(&person)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn role(word: &str) -> Result<Role, ApiProblem> {
    Ok(word.parse().map_err(|_| ProblemKind::InvalidInput.because("`role` is no role"))?)
}

fn shape(row: service::PersonRow) -> wire::Person {
    wire::Person {
        id: row.id,
        organization: row.org,
        email: row.email,
        name: row.name,
        role: row.role.word().to_owned(),
        site: row.site,
        deactivated_at: row.disabled,
        second_step_since: row.second_step,
    }
}
