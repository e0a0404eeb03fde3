//! A company's viewers, and what they see.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_core::Period;
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Once, id},
    license_shape, usage_shape,
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_viewers, create_viewer))
        .routes(routes!(get_own_company))
        .routes(routes!(get_own_usage))
}

/// List the viewers of a company
///
/// For administrators of the company's provider.
#[utoipa::path(
    get,
    path = "/companies/{company}/viewers",
    tag = "companies",
    params(("company" = String, Path, description = "The company")),
    responses((status = 200, body = wire::Viewers), (status = "4XX", body = ProblemBody))
)]
async fn list_viewers(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(company): Path<String>,
) -> Result<Json<wire::Viewers>, ApiProblem> {
    let rows = service::list_viewers(&state.service, &actor, id(&company)?).await?;
    let shape = |row: service::ViewerRow| wire::Viewer {
        id: row.person,
        name: row.name,
        email: row.email,
        deactivated_at: row.disabled,
    };
    Ok(Json(wire::Viewers { items: rows.into_iter().map(shape).collect() }))
}

/// Add a viewer to a company
///
/// Somebody of the company, who sees its licenses and usage and nothing else of the provider. For administrators of the
/// company's provider; the first password is in the answer, once.
#[utoipa::path(
    post,
    path = "/companies/{company}/viewers",
    tag = "companies",
    params(
        ("company" = String, Path, description = "The company"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::NewViewer,
    responses((status = 201, body = wire::CreatedPerson), (status = "4XX", body = ProblemBody))
)]
async fn create_viewer(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(company): Path<String>,
    Once { body, idempotency }: Once<wire::NewViewer>,
) -> Result<(StatusCode, Json<wire::CreatedPerson>), ApiProblem> {
    let made =
        service::create_viewer(&state.service, &actor, id(&company)?, body.email, body.name, idempotency).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedPerson { id: made.id, password: made.password.to_string() })))
}

/// Show the caller's own company
///
/// For a company's viewer: its licenses, and the months whose usage can be looked at.
#[utoipa::path(
    get,
    path = "/own-company",
    tag = "companies",
    responses((status = 200, body = wire::OwnCompany), (status = "4XX", body = ProblemBody))
)]
async fn get_own_company(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Json<wire::OwnCompany>, ApiProblem> {
    let own = service::view_own_company(&state.service, &actor).await?;
    Ok(Json(wire::OwnCompany {
        id: own.company.id,
        name: own.company.name,
        provider: own.provider,
        licenses: own.licenses.iter().filter_map(license).collect(),
        months: own
            .months
            .into_iter()
            .map(|(period, state)| wire::OwnMonth { period, state: usage_shape::state(state) })
            .collect(),
    }))
}

fn license(view: &service::LicenseView) -> Option<wire::OwnLicense> {
    Some(wire::OwnLicense {
        license: view.license?,
        product: format!("{} {}", view.product.name, view.product.edition).trim_end().to_owned(),
        state: license_shape::state(view).0,
        expires_at: view.life.as_ref()?.expires,
        installations: view.active_installations,
        workloads: view
            .workloads
            .iter()
            .map(|each| wire::OwnWorkload { name: each.name.clone(), count: each.count })
            .collect(),
    })
}

/// Show what the caller's own company used
///
/// For a company's viewer: the lines of its own company in one month.
#[utoipa::path(
    get,
    path = "/own-company/usage/{period}",
    tag = "companies",
    params(("period" = String, Path, description = "The month, as 2026-01")),
    responses((status = 200, body = wire::OwnUsage), (status = "4XX", body = ProblemBody))
)]
async fn get_own_usage(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(period): Path<String>,
) -> Result<Json<wire::OwnUsage>, ApiProblem> {
    let period: Period = id(&period)?;
    let usage = service::view_own_usage(&state.service, &actor, period).await?;
    let line = |line: &service::Line| wire::OwnLine {
        product: format!("{} {}", line.product.name, line.product.edition).trim_end().to_owned(),
        server: line.installation.as_ref().map(|one| one.name.clone()).unwrap_or_default(),
        workload: line.workload.name.clone(),
        licensed: line.licensed,
        count: line.count,
        new: line.new,
        of: line.of_period,
        source: line.source.word().to_owned(),
    };
    let lines = usage.lines.iter().map(line).collect();
    Ok(Json(wire::OwnUsage { period: usage.period, closed: usage.is_closed, lines }))
}
