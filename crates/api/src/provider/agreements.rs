//! Rental agreements.

use axum::{Json, extract::State};
use tenure_core::AgreementKind;
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, PageQuery};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_agreements))
}

/// List rental agreements
///
/// Those the caller's organization is a party of, in the order they were added; for the vendor, all.
#[utoipa::path(
    get,
    path = "/agreements",
    tag = "program",
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

/// An agreement as it is sent.
pub(super) fn shape(view: service::AgreementView) -> wire::Agreement {
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
