//! My Actions and All months.

use axum::{http::StatusCode, response::Response};
use tenure_core::{Period, UsageId, cycle::Blocker, roles::Action as Permission};
use tenure_service::{
    ActionKind, LicenseFilter, LinesTag, MonthRef, MonthSummary, MyAction, Paging, ProblemKind, SubmitInput,
    list_licenses, list_months, my_actions, submit_month, view_month,
};

use super::{approvals, said};
use crate::{
    pages::{
        Desk, Notice, Said,
        actions::{Action, Actions, SubmitMany, SubmitRow},
        months::{MonthRow, Months},
        problem::Refusal,
    },
    present,
    web::{Fields, Refused, Viewing, back_to, page, page_with, refusal, to},
};

/// Months on one page.
const ROWS: u32 = 50;

/// `GET /actions`: what waits for the viewer.
pub(super) async fn actions(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    match viewing.desk() {
        Desk::Provider => of_provider(&viewing, said(&fields)).await,
        Desk::Distributor => approvals::queue(&viewing, said(&fields)).await,
        Desk::Vendor => Ok(to("/vendor")),
        Desk::Company => Err(ProblemKind::NotFound.into()),
    }
}

async fn of_provider(viewing: &Viewing, said: Said) -> Result<Response, Refused> {
    let actions = my_actions(&viewing.service, viewing.actor()).await?;
    let without_licenses = actions.items.is_empty() && !has_licenses(viewing).await?;
    let part = Actions {
        said,
        rows: actions.items.into_iter().map(|item| action(viewing, item)).collect(),
        next_opens: actions.next,
        next_period: Period::of(viewing.now),
        without_licenses,
    };
    page(viewing, part).await
}

pub(super) async fn has_licenses(viewing: &Viewing) -> Result<bool, Refused> {
    let paging = Paging { cursor: None, limit: Some(1) };
    let licenses = list_licenses(&viewing.service, viewing.actor(), None, LicenseFilter::default(), &paging).await?;
    Ok(!licenses.items.is_empty())
}

pub(super) fn action(viewing: &Viewing, item: MyAction) -> Action {
    let progress = item.progress;
    let progress = progress.as_ref();
    let clean = progress.filter(|one| {
        let ready = matches!(item.kind, ActionKind::Submit);
        ready && one.blockers.is_empty() && one.flagged == 0 && viewing.may(Permission::SubmitUsage, item.has_sites)
    });
    Action {
        ticket: clean.map(|one| ticket(item.month.id, one.tag)).unwrap_or_default(),
        period: item.month.period,
        site: item.site.map(|site| site.name).unwrap_or_default(),
        href: present::month::href(Desk::Provider, item.month.period, item.month.id),
        state: item.month.state,
        is_late: item.month.late,
        deadline: viewing.deadline(item.by),
        what: item.what,
        otherwise: item.otherwise,
        expected: progress.map_or(0, |one| one.expected),
        accounted: progress.map_or(0, |one| one.reported),
        answers: progress.map_or(0, |one| one.blockers.iter().copied().map(Blocker::count).sum()),
        flagged: progress.map_or(0, |one| one.flagged),
        reported: progress.map(|one| one.points).unwrap_or_default(),
        change: progress.and_then(|one| one.difference),
    }
}

/// What a box of a list sends: a month, and the lines of it that were seen.
pub(super) fn ticket(month: UsageId, seen: LinesTag) -> String {
    format!("{month}~{seen}")
}

/// Reads it back.
pub(super) fn tickets(fields: &Fields) -> Result<Vec<(UsageId, LinesTag)>, Refused> {
    let sent = fields.0.iter().filter(|(name, _)| name == "month");
    let read = sent.map(|(_, value)| {
        let (month, seen) = value.split_once('~')?;
        Some((month.parse().ok()?, seen.parse().ok()?))
    });
    let all: Option<Vec<_>> = read.collect();
    let unreadable = ProblemKind::InvalidInput.because("the months that are meant cannot be read");
    let all = all.ok_or(unreadable)?;
    if all.is_empty() {
        return Err(ProblemKind::InvalidInput.because("no month is chosen").into());
    }
    Ok(all)
}

/// `GET /actions/submit`: the last look at several months.
pub(super) async fn look(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    show_submit(&viewing, &tickets(&fields)?, None, StatusCode::OK).await
}

async fn show_submit(
    viewing: &Viewing,
    chosen: &[(UsageId, LinesTag)],
    problem: Option<Refusal>,
    status: StatusCode,
) -> Result<Response, Refused> {
    let mut rows = Vec::new();
    for (id, seen) in chosen {
        let month = view_month(&viewing.service, viewing.actor(), MonthRef::Id(*id)).await?;
        rows.push(SubmitRow {
            period: month.head.period,
            href: present::month::href(Desk::Provider, month.head.period, month.head.id),
            distributor: month.head.distributor.name,
            agreement: month.head.agreement.number,
            reported: month.totals.reported,
            total: month.totals.total,
            ticket: ticket(*id, *seen),
        });
    }
    page_with(viewing, status, SubmitMany { problem, rows }).await
}

/// `POST /actions/submit`: submits each; those after one that is refused stay, and are shown again with why.
pub(super) async fn submit(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let chosen = tickets(&fields)?;
    for (n, (id, seen)) in chosen.iter().enumerate() {
        let input = SubmitInput { seen: *seen, purchase_order: None, comment: None };
        let done = submit_month(&viewing.service, viewing.actor(), MonthRef::Id(*id), input).await;
        if let Err(why) = done.map_err(Refused::from) {
            if !why.is_for_the_form() {
                return Err(why);
            }
            return show_submit(&viewing, &chosen[n..], Some(refusal(&why.problem())), why.status()).await;
        }
    }
    Ok(back_to("/actions", Notice::SubmittedMany))
}

/// `GET /months`: all months the viewer may see, newest first.
pub(super) async fn months(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(ROWS) };
    let months = list_months(&viewing.service, viewing.actor(), &paging).await?;
    let desk = viewing.desk();
    let part = Months {
        said: said(&fields),
        rows: months.items.into_iter().map(|month| row(desk, month)).collect(),
        of_many: desk != Desk::Provider,
        next: months.next.map(|cursor| format!("/months?after={cursor}")).unwrap_or_default(),
    };
    page(&viewing, part).await
}

fn row(desk: Desk, month: MonthSummary) -> MonthRow {
    MonthRow {
        period: month.period,
        href: present::month::href(desk, month.period, month.id),
        provider: month.provider.name,
        state: month.state,
        is_late: month.late,
        submitted: month.submitted.map(|one| (one.reported, one.total, one.at)),
        closed: month.closed,
    }
}
