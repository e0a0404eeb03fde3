//! Writes that a console names: done once, answered again for 48 hours, looked up while they run.
//!
//! What is kept is the door's answer. The use case behind it has a memory of its own, in the transaction of the change
//! ([`Idempotency`](crate::Idempotency)), so a server that dies between the two does nothing twice.

use std::collections::BTreeMap;

use tenure_core::Timestamp;
use tenure_store::{
    Queue,
    rows::console_action::{self, ActionRow, Whose},
};
use uuid::Uuid;

use crate::{Actor, Error, ProblemKind, Result, Service};

/// How long an answer is kept, in hours.
pub const ACTION_KEPT_HOURS: i64 = 48;
/// After so many seconds without an answer, a write died with its server and may be sent again.
const LOST_SECS: i64 = 600;
/// Most writes of a caller that are listed.
const LISTED: u32 = 500;
/// Bytes of the largest answer that is kept.
const MAX_ANSWER: usize = 1024 * 1024;

/// A named write to begin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewConsoleAction {
    /// What names it.
    pub id: Uuid,
    /// SHA-256 of the request.
    pub request: [u8; 32],
    /// The operation.
    pub name: String,
    /// The query's parameters.
    pub query: BTreeMap<String, Vec<String>>,
    /// The body, where it is text.
    pub body: Option<String>,
}

/// What is to be done about a named write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConsoleActionBegun {
    /// Do it, and tell [`finish_console_action`].
    Do,
    /// It runs.
    Runs,
    /// It was answered with this status and body.
    Answered(u16, String),
}

/// How a named write stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleActionState {
    /// It runs.
    Running,
    /// It was done.
    Succeeded,
    /// It was refused, or died with its server.
    Failed,
}

/// A named write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsoleAction {
    /// What names it.
    pub id: Uuid,
    /// The operation.
    pub name: String,
    /// The query's parameters.
    pub query: BTreeMap<String, Vec<String>>,
    /// The body, where it is text.
    pub body: Option<String>,
    /// How it stands.
    pub state: ConsoleActionState,
    /// What it answered, until that is cleared.
    pub answer: Option<String>,
}

fn whose(actor: &Actor) -> Whose {
    let site = actor.site.map(|site| site.to_string()).unwrap_or_default();
    Whose { org: actor.org, principal: format!("{} {} {site}", actor.audit_name(), actor.role.word()) }
}

fn shape(row: ActionRow, now: Timestamp) -> Result<ConsoleAction> {
    let unreadable = |_| Error::Internal("the query of a named write cannot be read");
    let state = match (row.done, row.status) {
        (Some(_), Some(200..=299)) => ConsoleActionState::Succeeded,
        (None, _) if now < row.begun.plus_secs(LOST_SECS) => ConsoleActionState::Running,
        _ => ConsoleActionState::Failed,
    };
    Ok(ConsoleAction {
        id: row.id,
        name: row.name,
        query: serde_json::from_str(&row.query).map_err(unreadable)?,
        body: row.body,
        state,
        answer: row.answer,
    })
}

/// Begins a named write, or says what became of it. The same name for another request is refused.
pub async fn begin_console_action(
    service: &Service,
    actor: &Actor,
    input: NewConsoleAction,
) -> Result<ConsoleActionBegun> {
    let (now, whose) = (service.now(), whose(actor));
    let query = serde_json::to_string(&input.query).map_err(|_| Error::Internal("a query is not JSON"))?;
    let row = ActionRow {
        id: input.id,
        request_hash: input.request,
        name: input.name,
        query,
        body: input.body,
        begun: now,
        done: None,
        status: None,
        answer: None,
    };
    service
        .store()
        .write(Queue::People, async move |tx| {
            let (lost, forgotten) = (now.plus_secs(-LOST_SECS), now.plus_secs(-ACTION_KEPT_HOURS * 3_600));
            if console_action::begin(tx, &whose, &row, lost, forgotten).await? {
                return Ok(ConsoleActionBegun::Do);
            }
            let found = console_action::find(tx, &whose, row.id).await?;
            let found = found.ok_or(Error::Internal("a named write neither begins nor is there"))?;
            if found.request_hash != row.request_hash {
                return Err(ProblemKind::IdempotencyMismatch.into());
            }
            Ok(match (found.status, found.answer) {
                (Some(status), Some(answer)) => ConsoleActionBegun::Answered(status, answer),
                _ => ConsoleActionBegun::Runs,
            })
        })
        .await
}

/// Keeps what a named write answered. A refusal is noted, and the same request may be sent again.
pub async fn finish_console_action(
    service: &Service,
    actor: &Actor,
    id: Uuid,
    status: u16,
    answer: String,
) -> Result<()> {
    let (now, whose) = (service.now(), whose(actor));
    let answer = Some(answer).filter(|answer| (200..300).contains(&status) && answer.len() <= MAX_ANSWER);
    service
        .store()
        .write(Queue::People, async move |tx| {
            Ok::<_, Error>(console_action::finish(tx, &whose, id, (status, answer.as_deref()), now).await?)
        })
        .await
}

/// The caller's named writes of the last 48 hours, newest first.
pub async fn list_console_actions(service: &Service, actor: &Actor) -> Result<Vec<ConsoleAction>> {
    let now = service.now();
    let mut read = service.store().read().await?;
    let since = now.plus_secs(-ACTION_KEPT_HOURS * 3_600);
    let rows = console_action::of(&mut read, &whose(actor), since, LISTED).await?;
    rows.into_iter().map(|row| shape(row, now)).collect()
}

/// One of them.
pub async fn view_console_action(service: &Service, actor: &Actor, id: Uuid) -> Result<ConsoleAction> {
    let mut read = service.store().read().await?;
    let row = console_action::find(&mut read, &whose(actor), id).await?.ok_or(ProblemKind::NotFound)?;
    shape(row, service.now())
}

/// Writes other request data beside a named write of the caller's.
pub async fn attach_to_console_action(
    service: &Service,
    actor: &Actor,
    id: Uuid,
    query: BTreeMap<String, Vec<String>>,
    body: Option<String>,
) -> Result<ConsoleAction> {
    let whose = whose(actor);
    let query = serde_json::to_string(&query).map_err(|_| Error::Internal("a query is not JSON"))?;
    service
        .store()
        .write(Queue::People, async move |tx| {
            if !console_action::attach(tx, &whose, id, &query, body.as_deref()).await? {
                return Err(ProblemKind::NotFound.into());
            }
            Ok::<_, Error>(())
        })
        .await?;
    view_console_action(service, actor, id).await
}

/// Forgets what a named write of the caller's answered.
pub async fn clear_console_action(service: &Service, actor: &Actor, id: Uuid) -> Result<()> {
    let whose = whose(actor);
    service
        .store()
        .write(Queue::People, async move |tx| {
            if console_action::clear(tx, &whose, id).await? {
                return Ok(());
            }
            Err(match console_action::find(tx, &whose, id).await? {
                Some(_) => ProblemKind::IdempotencyInFlight.because("the action runs; it has no result yet").into(),
                None => Error::from(ProblemKind::NotFound),
            })
        })
        .await
}
