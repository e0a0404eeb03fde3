//! `POST /product/v1/activate`: a new installation shows its key and its one-time code.

use axum::{Extension, Json, extract::State};
use tenure_license::exchange::{ActivationExchange, ActivationExchangeAnswer};
use tenure_service::activate_installation;

use crate::{ApiJson, AppState, Caller, problem::ApiProblem};

pub(super) async fn activate(
    State(state): State<AppState>,
    caller: Option<Extension<Caller>>,
    ApiJson(body): ApiJson<ActivationExchange>,
) -> Result<Json<ActivationExchangeAnswer>, ApiProblem> {
    Ok(Json(activate_installation(&state.service, body, caller.map(|Extension(caller)| caller.0)).await?))
}
