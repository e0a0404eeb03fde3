//! Rental agreements.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_core::AgreementKind;
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, PageQuery, Seen, Tagged, id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(list_agreements, create_agreement))
        .routes(routes!(get_agreement, edit_agreement))
        .routes(routes!(terminate_agreement))
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

/// Show a rental agreement
///
/// To its parties and the vendor. The answer's `ETag` names what an edit means.
#[utoipa::path(
    get,
    path = "/agreements/{agreement}",
    tag = "agreements",
    params(("agreement" = String, Path, description = "The agreement")),
    responses((status = 200, body = wire::Agreement), (status = "4XX", body = ProblemBody))
)]
async fn get_agreement(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(agreement): Path<String>,
) -> Result<Tagged<wire::Agreement>, ApiProblem> {
    let view = service::find_agreement(&state.service, &actor, id(&agreement)?).await?;
    Ok(Tagged(service::agreement_tag(&view), shape(view)))
}

/// Edit a rental agreement
///
/// For the vendor's administrator. Another commitment holds from a future month on, another distributor decides the months
/// that are opened from now on; what is past stays. Another end is written into the licenses shortly after.
#[utoipa::path(
    patch,
    path = "/agreements/{agreement}",
    tag = "agreements",
    params(
        ("agreement" = String, Path, description = "The agreement"),
        ("if-match" = String, Header, description = "The agreement's `ETag`")
    ),
    request_body = wire::AgreementChange,
    responses((status = 200, body = wire::Agreement), (status = "4XX", body = ProblemBody))
)]
async fn edit_agreement(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(agreement): Path<String>,
    Seen(seen): Seen,
    Once { body, .. }: Once<wire::AgreementChange>,
) -> Result<Tagged<wire::Agreement>, ApiProblem> {
    let input = service::AgreementChange {
        number: body.number,
        purchase_order: body.purchase_order,
        ends: body.ends_at,
        distributor: body.distributor,
        terms: body.terms.map(|new| service::NewTerms { from: new.from, commit: new.commit, limit: new.limit }),
        reinstate: body.reinstate,
    };
    let view = service::edit_agreement(&state.service, &actor, id(&agreement)?, seen, input).await?;
    Ok(Tagged(service::agreement_tag(&view), shape(view)))
}

/// End a rental agreement early
///
/// For the vendor's administrator, with a reason that the parties read. Its last month is still submitted and closed;
/// products are told `contract_terminated`.
#[utoipa::path(
    post,
    path = "/agreements/{agreement}/terminate",
    tag = "agreements",
    params(("agreement" = String, Path, description = "The agreement")),
    request_body = wire::AgreementTermination,
    responses((status = 200, body = wire::Agreement), (status = "4XX", body = ProblemBody))
)]
async fn terminate_agreement(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(agreement): Path<String>,
    Once { body, .. }: Once<wire::AgreementTermination>,
) -> Result<Tagged<wire::Agreement>, ApiProblem> {
    let view = service::terminate_agreement(&state.service, &actor, id(&agreement)?, body.at, body.reason).await?;
    Ok(Tagged(service::agreement_tag(&view), shape(view)))
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
        terms: view
            .terms
            .iter()
            .map(|one| wire::AgreementTerms { from: one.from, commit: one.commit, limit: one.limit })
            .collect(),
    }
}
