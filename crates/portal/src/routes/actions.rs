//! My Actions and All months.

use axum::response::Response;
use tenure_core::{Period, cycle::Blocker};
use tenure_service::{
    ActionKind, LicenseFilter, MonthSummary, MyAction, Paging, list_licenses, list_months, my_actions,
};

use super::said;
use crate::{
    pages::{
        Desk, Said,
        actions::{Action, Actions},
        approvals::{Approval, Approvals, LateProvider},
        months::{MonthRow, Months},
    },
    present,
    web::{Fields, Refused, Viewing, page, to},
};

/// Months on one page.
const ROWS: u32 = 50;

/// `GET /actions`: what waits for the viewer.
pub(super) async fn actions(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    match viewing.desk() {
        Desk::Provider => of_provider(&viewing, said(&fields)).await,
        Desk::Distributor => of_distributor(&viewing, said(&fields)).await,
        Desk::Vendor => Ok(to("/vendor")),
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

async fn has_licenses(viewing: &Viewing) -> Result<bool, Refused> {
    let paging = Paging { cursor: None, limit: Some(1) };
    let licenses = list_licenses(&viewing.service, viewing.actor(), None, LicenseFilter::default(), &paging).await?;
    Ok(!licenses.items.is_empty())
}

fn action(viewing: &Viewing, item: MyAction) -> Action {
    let progress = item.progress;
    let progress = progress.as_ref();
    Action {
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

async fn of_distributor(viewing: &Viewing, said: Said) -> Result<Response, Refused> {
    let actions = my_actions(&viewing.service, viewing.actor()).await?;
    let decide = actions.items.into_iter().filter(|item| item.kind == ActionKind::Decide);
    let (flagged, clean) = decide.filter_map(|item| approval(viewing, item)).partition(|row| row.flagged > 0);
    let newest = list_months(&viewing.service, viewing.actor(), &Paging { cursor: None, limit: Some(200) }).await?;
    let late = newest.items.into_iter().filter(|month| month.late).map(|month| LateProvider {
        href: present::month::href(Desk::Distributor, month.period, month.id),
        provider: month.provider.name,
        period: month.period,
        due: month.due,
    });
    page(viewing, Approvals { said, flagged, clean, late: late.collect() }).await
}

fn approval(viewing: &Viewing, item: MyAction) -> Option<Approval> {
    let submitted = item.month.submitted?;
    Some(Approval {
        period: item.month.period,
        href: present::month::href(Desk::Distributor, item.month.period, item.month.id),
        provider: item.month.provider.name,
        submitted: submitted.at,
        deadline: viewing.deadline(item.by),
        reported: submitted.reported,
        total: submitted.total,
        flagged: submitted.flagged,
        needs_consent: submitted.needs_consent,
    })
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
