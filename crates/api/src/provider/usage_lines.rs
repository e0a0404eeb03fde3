//! Changing the lines of a month that is open: manual lines, adjustments, answers.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use tenure_service as service;
use tenure_service::{Answer, FigureRef, NewFigure, NewManualLine, ProblemKind};
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{Once, id},
    usage_shape::reason_code,
    usages::which,
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(add_manual_line))
        .routes(routes!(remove_manual_line))
        .routes(routes!(adjust_figure, reset_figure))
        .routes(routes!(adjust_variant, reset_variant))
        .routes(routes!(answer_installation, reset_answer))
}

/// Add a manual line
///
/// Usage of a product that does not report. The license is required where the provider has licenses of that product that
/// report by themselves.
#[utoipa::path(
    post,
    path = "/monthly-usages/{month}/manual-lines",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours.")
    ),
    request_body = wire::NewManualLine,
    responses((status = 201, body = wire::CreatedManualLine), (status = "4XX", body = ProblemBody))
)]
async fn add_manual_line(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    once: Once<wire::NewManualLine>,
) -> Result<(StatusCode, Json<wire::CreatedManualLine>), ApiProblem> {
    let body = once.body;
    let input = NewManualLine {
        product: body.product,
        workload: body.workload,
        variant: body.variant,
        count: body.count,
        license: body.license,
        company: body.company,
        site: body.site,
    };
    let id = service::add_manual_line(&state.service, &actor, which(&month)?, input, once.idempotency).await?;
    Ok((StatusCode::CREATED, Json(wire::CreatedManualLine { id })))
}

/// Remove a manual line
#[utoipa::path(
    delete,
    path = "/monthly-usages/{month}/manual-lines/{line}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("line" = String, Path, description = "The line's id.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn remove_manual_line(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, line)): Path<(String, String)>,
) -> Result<StatusCode, ApiProblem> {
    service::remove_manual_line(&state.service, &actor, which(&month)?, id(&line)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn figure(installation: &str, workload: String, variant: String) -> Result<FigureRef, ApiProblem> {
    Ok(FigureRef { installation: id(installation)?, workload, variant })
}

fn new_figure(body: wire::NewFigure) -> NewFigure {
    NewFigure { count: body.count, reason: body.reason.map(reason_code), note: body.note }
}

/// Adjust a figure
///
/// Puts a figure in place of a product's, which is kept. Lowering needs a reason code and a sentence. Again against a newer
/// report confirms it.
#[utoipa::path(
    put,
    path = "/monthly-usages/{month}/adjustments/{installation}/{workload}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server that reported it."),
        ("workload" = String, Path, description = "Workload type code.")
    ),
    request_body = wire::NewFigure,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn adjust_figure(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation, workload)): Path<(String, String, String)>,
    once: Once<wire::NewFigure>,
) -> Result<StatusCode, ApiProblem> {
    let figure = figure(&installation, workload, String::new())?;
    service::adjust_figure(&state.service, &actor, which(&month)?, figure, new_figure(once.body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reset a figure
///
/// Gives it back to the product.
#[utoipa::path(
    delete,
    path = "/monthly-usages/{month}/adjustments/{installation}/{workload}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server that reported it."),
        ("workload" = String, Path, description = "Workload type code.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn reset_figure(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation, workload)): Path<(String, String, String)>,
) -> Result<StatusCode, ApiProblem> {
    let figure = figure(&installation, workload, String::new())?;
    service::reset_figure(&state.service, &actor, which(&month)?, figure).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Adjust a figure of a variant
#[utoipa::path(
    put,
    path = "/monthly-usages/{month}/adjustments/{installation}/{workload}/{variant}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server that reported it."),
        ("workload" = String, Path, description = "Workload type code."),
        ("variant" = String, Path, description = "Variant code.")
    ),
    request_body = wire::NewFigure,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn adjust_variant(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation, workload, variant)): Path<(String, String, String, String)>,
    once: Once<wire::NewFigure>,
) -> Result<StatusCode, ApiProblem> {
    let figure = figure(&installation, workload, variant)?;
    service::adjust_figure(&state.service, &actor, which(&month)?, figure, new_figure(once.body)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Reset a figure of a variant
#[utoipa::path(
    delete,
    path = "/monthly-usages/{month}/adjustments/{installation}/{workload}/{variant}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server that reported it."),
        ("workload" = String, Path, description = "Workload type code."),
        ("variant" = String, Path, description = "Variant code.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn reset_variant(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation, workload, variant)): Path<(String, String, String, String)>,
) -> Result<StatusCode, ApiProblem> {
    let figure = figure(&installation, workload, variant)?;
    service::reset_figure(&state.service, &actor, which(&month)?, figure).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Answer for a server
///
/// That sent nothing, is a clone, or is contested: with figures, with what its weekly figures reached, or with zero.
#[utoipa::path(
    put,
    path = "/monthly-usages/{month}/answers/{installation}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server.")
    ),
    request_body = wire::NewAnswer,
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn answer_installation(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation)): Path<(String, String)>,
    once: Once<wire::NewAnswer>,
) -> Result<StatusCode, ApiProblem> {
    let answer = answer(once.body)?;
    service::answer_installation(&state.service, &actor, which(&month)?, id(&installation)?, answer).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Take an answer back
#[utoipa::path(
    delete,
    path = "/monthly-usages/{month}/answers/{installation}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server.")
    ),
    responses((status = 204), (status = "4XX", body = ProblemBody))
)]
async fn reset_answer(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation)): Path<(String, String)>,
) -> Result<StatusCode, ApiProblem> {
    service::reset_answer(&state.service, &actor, which(&month)?, id(&installation)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// An answer as it was sent: exactly one of the two.
pub(super) fn answer(sent: wire::NewAnswer) -> Result<Answer, ApiProblem> {
    Ok(match (sent.figures, sent.suggested) {
        (None, true) => Answer::Suggested,
        (Some(figures), false) if figures.is_empty() => Answer::Zero,
        (Some(figures), false) => Answer::Figures(
            figures
                .into_iter()
                .map(|figure| service::Figure {
                    workload: figure.workload,
                    variant: figure.variant,
                    count: figure.count,
                })
                .collect(),
        ),
        _ => return Err(ProblemKind::InvalidInput.because("give either figures or suggested").into()),
    })
}
