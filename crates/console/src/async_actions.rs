//! `/asyncActions`: writes that were named by `X-Request-id`, as they run and for 48 hours after.

use std::collections::BTreeMap;

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde::Deserialize;
use serde_json::{Value, json};
use tenure_service::{
    self as service, ACTION_KEPT_HOURS, Actor, ActorKind, ConsoleAction, ConsoleActionState, ProblemKind,
};
use uuid::Uuid;

use crate::{
    Console, answer,
    error::Refusal,
    listing::Selected,
    named,
    operation::{Operations, Said},
    principal::Caller,
    select::Select,
    write::Write,
};

/// Request data to put beside an action.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Data {
    #[serde(default)]
    request_body: Option<String>,
    #[serde(default)]
    query_parameters: Option<BTreeMap<String, Vec<String>>>,
}

fn shape(action: &ConsoleAction, actor: &Actor) -> Value {
    let initiator = match actor.kind {
        ActorKind::Person(id) => id.uuid(),
        ActorKind::Token(id) => id.uuid(),
        ActorKind::Job(_) | ActorKind::Operator => Uuid::nil(),
    };
    let status = match action.state {
        ConsoleActionState::Running => "running",
        ConsoleActionState::Succeeded => "succeed",
        ConsoleActionState::Failed => "failed",
    };
    json!({
        "id": action.id, "initiatorUid": initiator, "actionName": action.name, "status": status,
        "queryParameters": action.query, "requestBody": action.body,
    })
}

fn id(text: &str) -> Result<Uuid, Refusal> {
    Uuid::try_parse(text).map_err(|_| ProblemKind::NotFound.into())
}

async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    let actions = service::list_console_actions(&state.service, &actor).await?;
    let shown = actions.iter().map(|action| select.of(shape(action, &actor))).collect();
    Ok(answer::single(Value::Array(shown), &Select::default()))
}

async fn config(_: Caller, Selected(select): Selected) -> Response {
    answer::single(json!({ "resultRetentionTime": ACTION_KEPT_HOURS * 3_600 }), &select)
}

async fn one(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(action): Path<String>,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    let action = service::view_console_action(&state.service, &actor, id(&action)?).await?;
    Ok(answer::single(shape(&action, &actor), &select))
}

/// What the write answered.
async fn result(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(action): Path<String>,
    _: Selected,
) -> Result<Response, Refusal> {
    let action = service::view_console_action(&state.service, &actor, id(&action)?).await?;
    match (action.state, action.answer) {
        (ConsoleActionState::Running, _) => {
            Err(ProblemKind::IdempotencyInFlight.because("the action runs; it has no result yet").into())
        }
        (_, Some(answer)) => Ok(named::again(200, answer)),
        (_, None) => Err(ProblemKind::NotFound.because("the action was refused, or its result was cleared").into()),
    }
}

/// A write is one transaction: it is done or not, and nothing of it can be called back.
async fn cancel(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(action): Path<String>,
) -> Result<Response, Refusal> {
    let action = service::view_console_action(&state.service, &actor, id(&action)?).await?;
    let words = match action.state {
        ConsoleActionState::Running => "it runs, and what is done at once cannot be called back half way",
        _ => "it is over already",
    };
    Err(ProblemKind::InUse.because(words).into())
}

async fn clear(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(action): Path<String>,
) -> Result<Response, Refusal> {
    service::clear_console_action(&state.service, &actor, id(&action)?).await?;
    Ok(answer::empty())
}

async fn attach(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(action): Path<String>,
    Selected(select): Selected,
    Write { body, .. }: Write<Data>,
) -> Result<Response, Refusal> {
    let (query, text) = (body.query_parameters.unwrap_or_default(), body.request_body);
    let action = service::attach_to_console_action(&state.service, &actor, id(&action)?, query, text).await?;
    Ok(answer::single(shape(&action, &actor), &select))
}

/// Adds the operations of `/asyncActions`.
pub(crate) fn operations(all: Operations) -> Operations {
    let (action, of) = ("/asyncActions/{action_id}", "/asyncActions/{action_id}/result");
    let shape = "@AsyncAction";
    all.get("/asyncActions", Said::one("The caller's writes that were named", "[@AsyncAction]"), list)
        .get("/asyncActions/config", Said::one("How long results are kept", "@AsyncActionsConfig"), config)
        .get(action, Said::one("One write that was named", shape), one)
        .delete(action, Said::never("Cancel a write: it is done at once, so never"), cancel)
        .get(of, Said::other("What a write answered", "application/json", "object"), result)
        .delete(of, Said::done("Forget what a write answered"), clear)
        .put(
            "/asyncActions/{action_id}/requestData",
            Said::one("Put other request data beside a write", shape).json("@AsyncActionData"),
            attach,
        )
}
