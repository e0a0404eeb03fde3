//! Reports: the provider's months, their review from a script, and the settings of the one that is open.

use axum::{
    extract::{Path, State},
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tenure_core::{Day, cycle::UsageState};
use tenure_service::{self as service, Actor, Error, Month, MonthRef, MonthSummary, ProblemKind, SubmitInput};

use super::{csv as file, newest, of_months, report};
use crate::{
    Console, answer, client,
    error::{Refusal, message},
    listing::{Listing, Selected},
    patch::{self, Patch},
    principal::Caller,
    pulse::Resellers,
    write::Write,
};

async fn view(state: &Console, actor: &Actor, summary: &MonthSummary) -> Result<Month, Refusal> {
    Ok(service::view_month(&state.service, actor, MonthRef::Id(summary.id)).await?)
}

/// All reports, newest first.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let months = of_months(&state, &actor).await?;
    shown(&state, &actor, months, &listing, &headers).await
}

/// The reports of some months, of which only those are computed that the page needs.
async fn shown(
    state: &Console,
    actor: &Actor,
    months: Vec<MonthSummary>,
    listing: &Listing,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let (months, total) = listing.narrowed(months);
    let resellers = Resellers::of(state, actor).await?;
    let mut rows = Vec::new();
    for summary in months {
        rows.push(report::shape(&view(state, actor, &summary).await?, &resellers, client::version(headers)));
    }
    Ok(listing.page(rows, total))
}

/// The newest report, as a list of one.
pub(crate) async fn latest(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let month = newest(&state, &actor).await?;
    let resellers = Resellers::of(&state, &actor).await?;
    Ok(listing.of(month.iter().map(|month| report::shape(month, &resellers, client::version(&headers))).collect()))
}

/// The reports made on a day.
pub(crate) async fn of_date(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(which): Path<String>,
    listing: Listing,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let day: Day = which.parse().map_err(|_| Refusal::invalid("the date must be a day such as 2026-02-01"))?;
    let mut months = of_months(&state, &actor).await?;
    months.retain(|summary| report::generated(summary.opened) == day);
    shown(&state, &actor, months, &listing, &headers).await
}

/// The lines of a report as CSV.
pub(crate) async fn csv(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(which): Path<String>,
) -> Result<Response, Refusal> {
    let months = of_months(&state, &actor).await?;
    let found = months.iter().find(|summary| report::id(summary.period).to_string() == which);
    let month = view(&state, &actor, found.ok_or(ProblemKind::NotFound)?).await?;
    let name = format!("attachment; filename=\"usage-{}.csv\"", month.head.period);
    let name = HeaderValue::from_str(&name).unwrap_or(HeaderValue::from_static("attachment"));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, name),
    ];
    Ok((headers, file::lines(&month)).into_response())
}

/// The newest month that the provider still reviews.
async fn open(state: &Console, actor: &Actor) -> Result<Option<MonthSummary>, Refusal> {
    let months = of_months(state, actor).await?;
    Ok(months.into_iter().find(|month| report::status(month.state) == "ApprovalRequired"))
}

/// Submits the newest month that is not submitted, with the lines as they are; of who is confined to a site, its part.
pub(crate) async fn finalize(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    let Some(open) = open(&state, &actor).await? else {
        let newest = of_months(&state, &actor).await?.into_iter().next();
        let (word, message) = match newest.map(|month| (month.state, month.period)) {
            Some((UsageState::Closed, period)) => ("Approved", format!("{period} is approved.")),
            Some((_, period)) => ("Finalization", format!("{period} waits for the distributor.")),
            None => ("NotApprovable", "There is no monthly usage yet.".to_owned()),
        };
        return Ok(answer::single(json!({ "reportApprovalStatus": word, "message": message }), &select));
    };
    let which = MonthRef::Id(open.id);
    let done = if let Some(site) = actor.site {
        service::submit_part(&state.service, &actor, which, site).await
    } else {
        let seen = service::view_month(&state.service, &actor, which).await?.tag;
        let input = SubmitInput { seen, purchase_order: None, comment: None };
        service::submit_month(&state.service, &actor, which, input).await.map(|_| ())
    };
    let (word, words) = match done {
        Ok(()) => ("Finalization", format!("{} was submitted.", open.period)),
        Err(Error::Problem(problem)) if problem.kind == ProblemKind::MonthBlocked => {
            ("NotApprovable", message(&problem))
        }
        Err(error) => return Err(error.into()),
    };
    Ok(answer::single(json!({ "reportApprovalStatus": word, "message": words }), &select))
}

/// Whether the open month is submitted by itself when its day comes.
pub(crate) async fn settings(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    Ok(answer::single(json!({ "autoApprove": is_automatic(&state, &actor).await? }), &select))
}

async fn is_automatic(state: &Console, actor: &Actor) -> Result<bool, Refusal> {
    let Some(open) = open(state, actor).await? else { return Ok(false) };
    Ok(view(state, actor, &open).await?.head.auto_submit.is_some())
}

/// Has the open month submitted by itself, or not.
pub(crate) async fn change_settings(
    State(state): State<Console>,
    Caller(actor): Caller,
    Selected(select): Selected,
    Write { body, .. }: Write<Patch>,
) -> Result<Response, Refusal> {
    let shown = json!({ "autoApprove": is_automatic(&state, &actor).await? });
    for (name, value) in patch::changes(body, &shown)? {
        if name != "autoApprove" {
            return Err(patch::unknown(&name));
        }
        let on = patch::boolean(&name, &value)?;
        let open = open(&state, &actor).await?;
        let open = open.ok_or_else(|| ProblemKind::MonthState.because("no month is open for review"))?;
        service::set_auto_submit(&state.service, &actor, MonthRef::Id(open.id), on).await?;
    }
    Ok(answer::single(json!({ "autoApprove": is_automatic(&state, &actor).await? }), &select))
}
