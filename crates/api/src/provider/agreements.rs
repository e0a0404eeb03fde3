//! Rental agreements.

use axum::{Json, extract::State, http::StatusCode};
use tenure_core::AgreementKind;
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, PageQuery};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_agreements, create_agreement))
}

/// List rental agreements
///
/// Those the caller's organization is a party of, in the order they were added; for the vendor, all.
#[utoipa::path(
    get,
    path = "/agreements",
    tag = "agreements",
    params(PageQuery),
    responses((status = 200, body = wire::AgreementPage), (status = "4XX", body = ProblemBody))
)]
async fn list_agreements(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<wire::AgreementPage>, ApiProblem> {
    let page = service::list_agreements(&state.service, &actor, &query.into()).await?.map(shape);
    Ok(Json(wire::AgreementPage { items: page.items, next: page.next }))
}

/// Add a rental agreement
///
/// For the vendor's administrator.
#[utoipa::path(
    post,
    path = "/agreements",
    tag = "agreements",
    params(("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")),
    request_body = wire::NewAgreement,
    responses((status = 201, body = wire::Agreement), (status = "4XX", body = ProblemBody))
)]
async fn create_agreement(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Once { body, idempotency }: Once<wire::NewAgreement>,
) -> Result<(StatusCode, Json<wire::Agreement>), ApiProblem> {
    let input = service::NewAgreement {
        distributor: body.distributor,
        provider: body.provider,
        number: body.number,
        kind: match body.kind {
            wire::AgreementKind::NoCommit => AgreementKind::NoCommit,
            wire::AgreementKind::Volume => AgreementKind::Volume,
        },
        commit: body.commit,
        limit: body.limit,
        purchase_order: body.purchase_order,
        signed: body.signed_at,
        ends: body.ends_at,
    };
    let created = service::create_agreement(&state.service, &actor, input, idempotency).await?;
    let agreement = service::view_agreement(&state.service, created).await?;
    Ok((StatusCode::CREATED, Json(shape(agreement))))
}

/// An agreement as it is sent.
fn shape(view: service::AgreementView) -> wire::Agreement {
    let row = view.agreement;
    wire::Agreement {
        id: row.id,
        provider: wire::OrgRef { id: row.provider, name: view.provider_name },
        distributor: wire::OrgRef { id: row.distributor, name: view.distributor_name },
        number: row.number,
        kind: match row.kind {
            AgreementKind::NoCommit => wire::AgreementKind::NoCommit,
            AgreementKind::Volume => wire::AgreementKind::Volume,
        },
        commit: row.commit,
        limit: row.limit,
        purchase_order: row.purchase_order,
        signed_at: row.signed,
        ends_at: row.ends,
        terminated_at: row.terminated,
    }
}
