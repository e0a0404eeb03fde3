//! Licenses: list, create, assign, switch automatic reporting, download.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{LicenseFilter, LicenseKey, Paging, WorkloadCount};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, Once, ProviderQuery, id, query_id},
    license_shape::{holder_filter, reporting_state, shape, state_filter, usage_type, with_installations},
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_licenses, create_license))
        .routes(routes!(get_license))
        .routes(routes!(assign_license))
        .routes(routes!(switch_automatic_reporting))
        .routes(routes!(download_license))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct ListQuery {
    /// The provider; the caller's own organization otherwise.
    provider: Option<String>,
    /// `template`, `valid`, `expiring`, `expired` or `restricted`.
    state: Option<String>,
    /// The company it is assigned to.
    company: Option<String>,
    /// The product.
    product: Option<String>,
    /// Whether reports extend it.
    automatic: Option<bool>,
    /// Where automatic reporting stands: `off`, `switching_to_on`, `on`, `switching_to_off`, `always_on`, `always_off`.
    automatic_reporting: Option<wire::AutomaticReporting>,
    /// The site it belongs to.
    site: Option<String>,
    /// Who may be served with it.
    usage_type: Option<wire::UsageType>,
    /// Whether it is assigned.
    assigned: Option<bool>,
    /// What kind of holder it has: `company`, or `provider` for the provider itself.
    company_type: Option<String>,
    /// Only what expires before this instant.
    expires_before: Option<String>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct DownloadQuery {
    /// The server whose license is wanted; without it, an activation license with a one-time code is made.
    installation: Option<String>,
}

/// List licenses
///
/// Templates and licenses of a provider, newest first, with their state, their end and why it is not further. A page may
/// hold fewer items than wanted, or none, while `next` says that the list goes on.
#[utoipa::path(
    get,
    path = "/licenses",
    tag = "licenses",
    params(ListQuery),
    responses((status = 200, body = wire::LicensePage), (status = "4XX", body = ProblemBody))
)]
async fn list_licenses(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::LicensePage>, ApiProblem> {
    let filter = LicenseFilter {
        state: query.state.as_deref().map(state_filter).transpose()?,
        company: query_id("company", query.company.as_deref())?,
        product: query_id("product", query.product.as_deref())?,
        automatic: query.automatic,
        reporting: query.automatic_reporting.map(reporting_state),
        site: query_id("site", query.site.as_deref())?,
        usage_type: query.usage_type.map(usage_type),
        assigned: query.assigned,
        holder: query.company_type.as_deref().map(holder_filter).transpose()?,
        expires_before: query_id("expires_before", query.expires_before.as_deref())?,
    };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let provider = query_id("provider", query.provider.as_deref())?;
    let page = service::list_licenses(&state.service, &actor, provider, filter, &paging).await?;
    let next = page.next.clone();
    Ok(Json(wire::LicensePage { items: page.items.iter().map(shape).collect(), next }))
}

/// Create a license
///
/// A template, which costs nothing until it is assigned. `internal` and `multi_customer` are assigned to the caller's own
/// organization at once, `single_customer` where a company is named. Points are rounded up to whole ones.
#[utoipa::path(
    post,
    path = "/licenses",
    tag = "licenses",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewLicense,
    responses((status = 201, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn create_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewLicense>,
) -> Result<(StatusCode, Json<wire::License>), ApiProblem> {
    let workload =
        |each: wire::WorkloadCount| WorkloadCount { workload: each.workload, variant: each.variant, count: each.count };
    let input = service::NewLicense {
        agreement: body.agreement,
        product: body.product,
        usage_type: usage_type(body.usage_type),
        description: body.description,
        site: body.site,
        company: body.company,
        automatic: body.automatic_reporting,
        last_day: body.expires_on,
        workloads: body.workloads.into_iter().map(workload).collect(),
    };
    let created = service::create_license(&state.service, &actor, input, idempotency).await?;
    let key = LicenseKey::Template(created.template);
    let (view, _) = service::view_license(&state.service, &actor, None, key).await?;
    Ok((StatusCode::CREATED, Json(shape(&view))))
}

/// Show a license
///
/// By its template's id or by the assignment's, with the servers that activated it.
#[utoipa::path(
    get,
    path = "/licenses/{id}",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), ProviderQuery),
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn get_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    ApiQuery(query): ApiQuery<ProviderQuery>,
) -> Result<Json<wire::License>, ApiProblem> {
    let provider = query_id("provider", query.provider.as_deref())?;
    let (view, installations) = service::view_license(&state.service, &actor, provider, id(&key)?).await?;
    Ok(Json(with_installations(&view, installations)))
}

/// Assign a license
///
/// Gives a template to one of the caller's companies: it becomes a license with an id and a validity of its own.
#[utoipa::path(
    post,
    path = "/licenses/{id}/assign",
    tag = "licenses",
    params(
        ("id" = String, Path, description = "The template's id"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::AssignLicense,
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn assign_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::AssignLicense>,
) -> Result<Json<wire::License>, ApiProblem> {
    let license = service::assign_license(&state.service, &actor, id(&key)?, body.company, idempotency).await?;
    let key = LicenseKey::License(license);
    let (view, installations) = service::view_license(&state.service, &actor, None, key).await?;
    Ok(Json(with_installations(&view, installations)))
}

/// Turn automatic reporting on or off
///
/// Each server gets a new license; the switch is complete when all have shown it, until then the answer names those that
/// are waited for. Turning it on is consent to automatic license update on those servers.
#[utoipa::path(
    post,
    path = "/licenses/{id}/automatic-reporting",
    tag = "licenses",
    params(
        ("id" = String, Path, description = "A template's or license's id"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::SwitchAutomaticReporting,
    responses((status = 200, body = wire::License), (status = "4XX", body = ProblemBody))
)]
async fn switch_automatic_reporting(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    Once { body, idempotency }: Once<wire::SwitchAutomaticReporting>,
) -> Result<Json<wire::License>, ApiProblem> {
    let key: LicenseKey = id(&key)?;
    service::switch_reporting(&state.service, &actor, key, body.on, idempotency).await?;
    let (view, installations) = service::view_license(&state.service, &actor, None, key).await?;
    Ok(Json(with_installations(&view, installations)))
}

/// Download a license
///
/// The newest license of one server, or without `installation` an activation license: its code works for one server, once,
/// within 72 hours. Each such download makes another code, so a repeat is safe and `Idempotency-Key` is not needed.
#[utoipa::path(
    post,
    path = "/licenses/{id}/download",
    tag = "licenses",
    params(("id" = String, Path, description = "A template's or license's id"), DownloadQuery),
    responses((status = 200, body = wire::LicenseFile), (status = "4XX", body = ProblemBody))
)]
async fn download_license(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(key): Path<String>,
    ApiQuery(query): ApiQuery<DownloadQuery>,
) -> Result<Json<wire::LicenseFile>, ApiProblem> {
    let installation = query_id("installation", query.installation.as_deref())?;
    let file = service::download_license(&state.service, &actor, id(&key)?, installation).await?;
    let (activation_code, code_until) = file.activation.unzip();
    Ok(Json(wire::LicenseFile { file_name: file.file_name, content: file.content, activation_code, code_until }))
}
