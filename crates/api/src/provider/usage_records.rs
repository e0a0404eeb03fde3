//! What goes beyond the lines of a month: who did what, the workloads behind a figure, the difference to the month before,
//! receipts, invoices and the list of missed deadlines.

use axum::{
    Json,
    extract::{Path, State},
    http::{HeaderName, HeaderValue, header},
    response::IntoResponse,
};
use serde::Deserialize;
use tenure_service as service;
use tenure_service::{Error, EvidenceFilter, Paging, ProblemKind};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::{
    extract::{ApiQuery, PageQuery, id},
    usage_record_shape as shape,
    usages::{envelope, which},
};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(get_timeline))
        .routes(routes!(get_evidence))
        .routes(routes!(get_difference))
        .routes(routes!(get_lines_csv))
        .routes(routes!(get_usage_report))
        .routes(routes!(get_invoice))
        .routes(routes!(get_invoice_csv))
        .routes(routes!(list_receipts))
        .routes(routes!(save_report))
        .routes(routes!(save_submission))
        .routes(routes!(list_missed_deadlines))
}

/// Who did what to a month
///
/// Oldest first, from the audit log and from what products sent.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/timeline",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id."), PageQuery),
    responses((status = 200, body = wire::Timeline), (status = "4XX", body = ProblemBody))
)]
async fn get_timeline(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<wire::Timeline>, ApiProblem> {
    let page = service::month_timeline(&state.service, &actor, which(&month)?, &query.into()).await?;
    let page = page.map(shape::event);
    Ok(Json(wire::Timeline { items: page.items, next: page.next }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct EvidenceQuery {
    /// Only this workload type.
    workload: Option<String>,
    /// Only this variant of it.
    variant: Option<String>,
    /// Only those that count or not for this reason.
    #[param(inline)]
    counted: Option<wire::WorkloadCounted>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// The workloads behind a server's figures
///
/// Each with why it counted or not, as the product listed and signed them. Empty where the program asks products for no
/// detail.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/evidence/{installation}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server."),
        EvidenceQuery
    ),
    responses((status = 200, body = wire::Evidence), (status = "4XX", body = ProblemBody))
)]
async fn get_evidence(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation)): Path<(String, String)>,
    ApiQuery(query): ApiQuery<EvidenceQuery>,
) -> Result<Json<wire::Evidence>, ApiProblem> {
    let counted = query.counted.map(shape::wanted);
    let filter = EvidenceFilter { workload: query.workload, variant: query.variant, counted };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let (month, installation) = (which(&month)?, id(&installation)?);
    let found = service::view_evidence(&state.service, &actor, month, installation, &filter, &paging).await?;
    Ok(Json(shape::evidence(found)))
}

/// The difference to the month before
///
/// By product, customer, license and workload type; what is alike is left out. The month before must have been submitted.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/difference",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 200, body = wire::Difference), (status = "4XX", body = ProblemBody))
)]
async fn get_difference(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<Json<wire::Difference>, ApiProblem> {
    Ok(Json(shape::difference(service::month_difference(&state.service, &actor, which(&month)?).await?)))
}

fn csv(name: &str, text: String) -> impl IntoResponse + use<> {
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.csv\""));
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    (headers, text)
}

/// The lines of a month as CSV
///
/// RFC 4180, one line a row. Text that a spreadsheet would take for a formula begins with an apostrophe.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/lines.csv",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = ProblemBody))
)]
async fn get_lines_csv(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<impl IntoResponse, ApiProblem> {
    let month = service::view_month(&state.service, &actor, which(&month)?).await?;
    Ok(csv(&format!("usage-{}", month.head.period), tenure_report::csv::lines(&month)))
}

/// The License Usage Report of a month as a file
///
/// Parameters, summary, companies, licenses, adjustments and exclusions, as `pdf`, `xlsx`, `csv` or `json`. PDF and JSON
/// carry the signed lines and the receipt along, for `tenure report verify`. Before it is submitted, it is preliminary.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/report/{format}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("format" = String, Path, description = "`pdf`, `xlsx`, `csv` or `json`."),
    ),
    responses(
        (status = 200, body = String, content_type = "application/octet-stream"),
        (status = "4XX", body = ProblemBody)
    )
)]
async fn get_usage_report(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, format)): Path<(String, String)>,
) -> Result<impl IntoResponse, ApiProblem> {
    let format = tenure_report::Format::of_ending(&format);
    let format = format.ok_or_else(|| ProblemKind::NotFound.because("a report is pdf, xlsx, csv or json"))?;
    let report = service::view_usage_report(&state.service, &actor, which(&month)?).await?;
    // Laying out a month of thousands of lines takes a while.
    let written = tokio::task::spawn_blocking(move || tenure_report::write(&report, format)).await;
    let (name, bytes) = written.ok().and_then(Result::ok).ok_or(Error::Internal("a report could not be written"))?;
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}\""));
    let headers: [(HeaderName, HeaderValue); 2] = [
        (header::CONTENT_TYPE, HeaderValue::from_static(format.media_type())),
        (header::CONTENT_DISPOSITION, disposition.unwrap_or(HeaderValue::from_static("attachment"))),
    ];
    Ok((headers, bytes))
}

/// What is invoiced for a closed month
///
/// Items by product and workload type, corrections of earlier months apart, and what is missing to the minimum commit.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/invoice",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 200, body = wire::Invoice), (status = "4XX", body = ProblemBody))
)]
async fn get_invoice(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<Json<wire::Invoice>, ApiProblem> {
    Ok(Json(shape::invoice(service::view_invoice(&state.service, &actor, which(&month)?).await?)))
}

/// What is invoiced for a closed month, as CSV
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/invoice.csv",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 200, body = String, content_type = "text/csv"), (status = "4XX", body = ProblemBody))
)]
async fn get_invoice_csv(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<impl IntoResponse, ApiProblem> {
    let invoice = service::view_invoice(&state.service, &actor, which(&month)?).await?;
    Ok(csv(&format!("invoice-{}", invoice.period), tenure_report::csv::invoice(&invoice)))
}

/// List the receipts of a month
///
/// Of its submissions, and of the reports that count in it or came late.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/receipts",
    tag = "monthly usages",
    params(("month" = String, Path, description = "The month, as 2026-01; or an id.")),
    responses((status = 200, body = wire::ReceiptList), (status = "4XX", body = ProblemBody))
)]
async fn list_receipts(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path(month): Path<String>,
) -> Result<Json<wire::ReceiptList>, ApiProblem> {
    let list = service::list_receipts(&state.service, &actor, which(&month)?).await?;
    Ok(Json(wire::ReceiptList { items: list.into_iter().map(shape::receipt).collect() }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct RevisionQuery {
    /// Which revision, from 1; the one that counts otherwise.
    revision: Option<u32>,
}

/// Save a report with its receipt
///
/// The report as the product signed it and the server's receipt of it, as a file to keep; `tenure report verify FILE` tells
/// whether it is true.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/reports/{installation}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("installation" = String, Path, description = "The server that sent it."),
        RevisionQuery
    ),
    responses((status = 200, body = wire::SavedReport), (status = "4XX", body = ProblemBody))
)]
async fn save_report(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, installation)): Path<(String, String)>,
    ApiQuery(query): ApiQuery<RevisionQuery>,
) -> Result<Json<wire::SavedReport>, ApiProblem> {
    let (month, installation) = (which(&month)?, id(&installation)?);
    let saved = service::save_report(&state.service, &actor, month, installation, query.revision).await?;
    Ok(Json(wire::SavedReport {
        report: envelope(&saved.report)?,
        key: saved.key.map(|key| key.to_string()),
        receipt: envelope(&saved.receipt)?,
        roots: saved.roots.iter().map(envelope).collect::<Result<_, _>>()?,
    }))
}

/// Save a submission with its receipt
///
/// The lines as they were signed and the server's receipt of them, as a file to keep; `tenure report verify FILE` tells
/// whether it is true.
#[utoipa::path(
    get,
    path = "/monthly-usages/{month}/submissions/{number}",
    tag = "monthly usages",
    params(
        ("month" = String, Path, description = "The month, as 2026-01; or an id."),
        ("number" = u32, Path, description = "Which submission of the month, from 1.")
    ),
    responses((status = 200, body = wire::SavedSubmission), (status = "4XX", body = ProblemBody))
)]
async fn save_submission(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Path((month, number)): Path<(String, String)>,
) -> Result<Json<wire::SavedSubmission>, ApiProblem> {
    let saved = service::save_submission(&state.service, &actor, which(&month)?, Some(id(&number)?)).await?;
    Ok(Json(wire::SavedSubmission {
        lines: saved.lines,
        receipt: envelope(&saved.receipt)?,
        roots: saved.roots.iter().map(envelope).collect::<Result<_, _>>()?,
    }))
}

/// List missed deadlines
///
/// For a distributor, of its providers; for the vendor, of all: months whose first submission was not in by the deadline,
/// newest first.
#[utoipa::path(
    get,
    path = "/missed-deadlines",
    tag = "monthly usages",
    params(PageQuery),
    responses((status = 200, body = wire::MissedDeadlinePage), (status = "4XX", body = ProblemBody))
)]
async fn list_missed_deadlines(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<PageQuery>,
) -> Result<Json<wire::MissedDeadlinePage>, ApiProblem> {
    let page = service::list_missed_deadlines(&state.service, &actor, &query.into()).await?.map(shape::missed);
    Ok(Json(wire::MissedDeadlinePage { items: page.items, next: page.next }))
}
