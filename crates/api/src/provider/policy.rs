//! The program's numbers, and what a change of the program would do.

use axum::{Json, extract::State};
use tenure_service as service;
use tenure_wire as wire;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, Once, PageQuery, Seen, Tagged};
use crate::{ApiJson, ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(get_policy, change_policy)).routes(routes!(preview_program))
}

/// Show the program's numbers
///
/// Those in force and those to come; for everybody. The answer's `ETag` names what a change means.
#[utoipa::path(
    get,
    path = "/policy",
    tag = "program",
    responses((status = 200, body = wire::Policy), (status = "4XX", body = ProblemBody))
)]
async fn get_policy(
    State(state): State<AppState>,
    Principal(actor): Principal,
) -> Result<Tagged<wire::Policy>, ApiProblem> {
    Ok(shape(&service::view_policy(&state.service, &actor).await?))
}

/// Change the program's numbers
///
/// For the vendor's administrator: from the 1st of a future month on, or at once where the fields change no figure, deadline
/// or validity. Numbers that come later take the change in until they set a field themselves.
#[utoipa::path(
    patch,
    path = "/policy",
    tag = "program",
    params(
        ("if-match" = String, Header, description = "The policy's `ETag`"),
        ("idempotency-key" = Option<String>, Header, description = "Names this write for 48 hours")
    ),
    request_body = wire::PolicyChange,
    responses((status = 200, body = wire::Policy), (status = "4XX", body = ProblemBody))
)]
async fn change_policy(
    State(state): State<AppState>,
    Principal(actor): Principal,
    Seen(seen): Seen,
    Once { body, idempotency }: Once<wire::PolicyChange>,
) -> Result<Tagged<wire::Policy>, ApiProblem> {
    let input = change(body);
    Ok(shape(&service::change_policy(&state.service, &actor, seen, input, idempotency).await?))
}

/// Preview a change of the program
///
/// What other numbers or weights would do to the months that are open, had they been in force: points, deadlines and flags,
/// before and after. Nothing is changed. For who may make such a change; at most 50 months a page, 20 otherwise.
#[utoipa::path(
    post,
    path = "/program/preview",
    tag = "program",
    params(PageQuery),
    request_body = wire::ProgramChange,
    responses((status = 200, body = wire::ProgramPreview), (status = "4XX", body = ProblemBody))
)]
async fn preview_program(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<PageQuery>,
    ApiJson(body): ApiJson<wire::ProgramChange>,
) -> Result<Json<wire::ProgramPreview>, ApiProblem> {
    let weight = |one: wire::WeightOf| {
        (one.product, service::NewWeight { workload: one.workload, variant: one.variant, weight: one.weight })
    };
    let input = service::ProgramChange {
        policy: body.policy.map(change),
        weights: body.weights.into_iter().map(weight).collect(),
    };
    let page = service::preview_program(&state.service, &actor, input, &query.into()).await?.map(month);
    Ok(Json(wire::ProgramPreview { items: page.items, next: page.next }))
}

fn change(body: wire::PolicyChange) -> service::PolicyChange {
    service::PolicyChange { from: body.from, values: body.values }
}

fn shape(view: &service::PolicyView) -> Tagged<wire::Policy> {
    let version = |(from, policy): &(tenure_core::Period, tenure_core::Policy)| wire::PolicyVersion {
        from: *from,
        values: service::policy_values(policy),
    };
    let body = wire::Policy {
        from: view.from,
        values: service::policy_values(&view.policy),
        scheduled: view.scheduled.iter().map(version).collect(),
    };
    Tagged(view.tag(), body)
}

fn month(month: service::PreviewedMonth) -> wire::PreviewedMonth {
    wire::PreviewedMonth {
        id: month.id,
        provider: wire::OrgRef { id: month.provider.id, name: month.provider.name },
        period: month.period,
        state: format!("{:?}", month.state),
        before: outlook(&month.before),
        after: outlook(&month.after),
    }
}

fn outlook(outlook: &service::Outlook) -> wire::Outlook {
    wire::Outlook {
        reported: outlook.reported,
        enforcement: outlook.enforcement,
        overage: outlook.overage,
        total: outlook.total,
        awaited_until: outlook.awaited_until,
        due: outlook.due,
        decide_by: outlook.decide_by,
        flagged: outlook.flagged,
        needs_consent: outlook.needs_consent,
    }
}
