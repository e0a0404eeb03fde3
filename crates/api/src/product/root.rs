//! `GET /product/v1/root[/{version}]`: the trust root, every version for ever.

use axum::{
    Json,
    extract::{Path, State},
};
use tenure_license::Envelope;
use tenure_service::{newest_root, root_version};

use crate::{AppState, problem::ApiProblem};

pub(super) async fn newest(State(state): State<AppState>) -> Result<Json<Envelope>, ApiProblem> {
    Ok(Json(newest_root(&state.service).await?))
}

pub(super) async fn version(
    State(state): State<AppState>,
    Path(version): Path<u64>,
) -> Result<Json<Envelope>, ApiProblem> {
    Ok(Json(root_version(&state.service, version).await?))
}
