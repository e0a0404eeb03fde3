//! Request files of products without a network: look at one, take one and get the answer to carry back.

use axum::{Json, extract::DefaultBodyLimit, extract::State};
use tenure_license::offline::MAX_OFFLINE_TEXT;
use tenure_service as service;
use tenure_service::{CarriedDocument, Foreseen};
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody};

/// The file as a JSON string: a line break is two characters more.
const MAX_BODY_BYTES: usize = MAX_OFFLINE_TEXT + MAX_OFFLINE_TEXT / 16;

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(preview_offline_request))
        .routes(routes!(take_offline_request))
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
}

/// Look at a request file
///
/// Says which server made it, what is in it and what taking it would come to. Nothing changes.
#[utoipa::path(
    post,
    path = "/offline-requests/preview",
    tag = "offline requests",
    request_body = wire::OfflineRequestFile,
    responses((status = 200, body = wire::OfflinePreview), (status = "4XX", body = ProblemBody))
)]
async fn preview_offline_request(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::OfflineRequestFile>,
) -> Result<Json<wire::OfflinePreview>, ApiProblem> {
    let seen = service::preview_offline_request(&state.service, &actor, &body.file).await?;
    Ok(Json(wire::OfflinePreview {
        kind: if seen.is_activation { wire::OfflineKind::Activation } else { wire::OfflineKind::CheckIn },
        provider: seen.provider,
        installation: seen.installation,
        license: seen.license,
        host: seen.host,
        made_at: seen.made,
        outcome: match seen.foreseen {
            Foreseen::Taken => wire::OfflineOutcome::Taken,
            Foreseen::Again => wire::OfflineOutcome::Again,
            Foreseen::OutOfStep => wire::OfflineOutcome::OutOfStep,
            Foreseen::Lost => wire::OfflineOutcome::Lost,
        },
        documents: seen.documents.into_iter().map(document).collect(),
    }))
}

fn document(document: CarriedDocument) -> wire::OfflineDocument {
    let (kind, about) = match document {
        CarriedDocument::Report(period) => (wire::OfflineDocumentKind::Report, Some(period.to_string())),
        CarriedDocument::Watermark(week) => (wire::OfflineDocumentKind::Watermark, Some(week.to_string())),
        CarriedDocument::Evidence(period) => (wire::OfflineDocumentKind::Evidence, Some(period.to_string())),
        CarriedDocument::Unreadable => (wire::OfflineDocumentKind::Unreadable, None),
    };
    wire::OfflineDocument { kind, about }
}

/// Take a request file
///
/// Takes it as if the product had sent it over the network, and gives the answer's file, which is imported where the request
/// was made. The same file again gets the same answer, so `Idempotency-Key` is not needed.
#[utoipa::path(
    post,
    path = "/offline-requests",
    tag = "offline requests",
    request_body = wire::OfflineRequestFile,
    responses((status = 200, body = wire::OfflineResponseFile), (status = "4XX", body = ProblemBody))
)]
async fn take_offline_request(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiJson(body): ApiJson<wire::OfflineRequestFile>,
) -> Result<Json<wire::OfflineResponseFile>, ApiProblem> {
    let made = service::take_offline_request(&state.service, &actor, &body.file).await?;
    let service::OfflineAnswerFile { file_name, content, needs_another } = made;
    Ok(Json(wire::OfflineResponseFile { file_name, content, needs_another }))
}
