//! The audit log.

use axum::{Json, extract::State};
use serde::Deserialize;
use tenure_core::Timestamp;
use tenure_service as service;
use tenure_service::{AuditFilter, Paging};
use tenure_wire as wire;
use utoipa::IntoParams;
use utoipa_axum::{router::OpenApiRouter, routes};

use super::extract::{ApiQuery, query_id};
use crate::{ApiProblem, AppState, Principal, ProblemBody};

pub(super) fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list_audit))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListQuery {
    /// The organization whose log it is; the vendor reads that of all otherwise.
    organization: Option<String>,
    /// From this instant on.
    #[param(value_type = Option<String>, format = DateTime)]
    since: Option<Timestamp>,
    /// Before this instant.
    #[param(value_type = Option<String>, format = DateTime)]
    until: Option<Timestamp>,
    /// By whom: the id of a person or token, or a word such as `server`.
    actor: Option<String>,
    /// To what: an id.
    object: Option<String>,
    /// What, as `site.renamed`, or the part before the dot.
    action: Option<String>,
    /// The cursor of the page before; leave it out for the first page.
    cursor: Option<String>,
    /// Items wanted, 1 to 200; 50 otherwise.
    limit: Option<u32>,
}

/// List what was done
///
/// Who changed what in the caller's organization, in words, newest first; the vendor sees all. People of another organization
/// are named by that organization.
#[utoipa::path(
    get,
    path = "/audit",
    tag = "audit",
    params(ListQuery),
    responses((status = 200, body = wire::AuditPage), (status = "4XX", body = ProblemBody))
)]
async fn list_audit(
    State(state): State<AppState>,
    Principal(actor): Principal,
    ApiQuery(query): ApiQuery<ListQuery>,
) -> Result<Json<wire::AuditPage>, ApiProblem> {
    let filter = AuditFilter {
        organization: query_id("organization", query.organization.as_deref())?,
        since: query.since,
        until: query.until,
        actor: query.actor,
        object: query.object,
        action: query.action,
    };
    let paging = Paging { cursor: query.cursor, limit: query.limit };
    let page = service::list_audit(&state.service, &actor, filter, &paging).await?.map(shape);
    Ok(Json(wire::AuditPage { items: page.items, next: page.next }))
}

fn shape(action: service::AuditAction) -> wire::AuditAction {
    wire::AuditAction {
        id: action.id.to_string(),
        at: action.at,
        organization: action.organization.map(|org| wire::OrgRef { id: org.id, name: org.name }),
        actor: action.actor,
        actor_name: action.actor_name,
        action: action.action,
        object: action.object,
        words: action.words,
        data: action.data,
    }
}
