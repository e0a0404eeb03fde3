//! Marks on lines that somebody looked at. A mark holds for a line with its figure: when that changes, it is gone.

use serde_json::json;
use tenure_core::roles::Action;
use tenure_store::{Queue, rows::reviewed_line};

use crate::{
    Actor, ProblemKind, Result, Service, change,
    month::Month,
    month_access::{MonthRef, confined, lock},
};

/// Most lines marked at once.
pub const MAX_MARKED: usize = 1_000;

/// Marks lines of a month as reviewed, or takes the marks away; gives how many changed. Lines are named by their tags; one
/// that the month has not, because its figure changed, is [`ProblemKind::Changed`] and nothing is marked.
pub async fn mark_reviewed(
    service: &Service,
    actor: &Actor,
    which: MonthRef,
    tags: Vec<[u8; 32]>,
    reviewed: bool,
) -> Result<u64> {
    if tags.is_empty() || tags.len() > MAX_MARKED {
        return Err(ProblemKind::InvalidInput.because("lines must be 1 to 1,000 tags").into());
    }
    let (service_, actor) = (service.clone(), actor.clone());
    service
        .store()
        .write(Queue::People, async move |tx| {
            let service = &service_;
            let (usage, _) = lock(tx, &actor, which, Action::EditUsage).await?;
            if usage.state.is_submitted() {
                return Err(ProblemKind::MonthState.because("the month is submitted").into());
            }
            let (provider, period, id) = (usage.provider, usage.period, usage.id.to_string());
            let month = Month::load(service, tx, usage, service.now()).await?;
            let month = confined(month, &actor, provider);
            let unknown = tags.iter().filter(|tag| !month.lines.iter().any(|line| line.tag == **tag)).count();
            if unknown > 0 {
                let words = format!("{unknown} of the lines are not there with these figures any more");
                return Err(ProblemKind::Changed.because(words).into());
            }
            let now = service.now();
            let changed = if reviewed {
                reviewed_line::mark(tx, provider, period, &tags, actor.principal(), now).await?
            } else {
                reviewed_line::unmark(tx, provider, period, &tags).await?
            };
            if changed > 0 {
                let verb = if reviewed { "usage.reviewed" } else { "usage.review_unmarked" };
                let tags: Vec<String> = tags.iter().map(|tag| tenure_store::hex(tag)).collect();
                change::by(tx, &actor, provider, verb, id, now, json!({ "lines": changed, "tags": tags }));
            }
            Ok(changed)
        })
        .await
}
