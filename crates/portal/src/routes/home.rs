//! `/`, where each side has its own beginning, and a provider's *Home*.

use axum::response::Response;
use tenure_core::{Period, Points};
use tenure_service::{
    Forecast, LicenseFilter, LicenseView, MyAction, Paging, ProblemKind, StateFilter, expiry_text, list_licenses,
    my_actions, view_forecast,
};

use super::{actions, said};
use crate::{
    pages::{
        Desk,
        home::{EndingRow, ForecastCard, Home},
        licenses::Holder,
    },
    present,
    web::{Fields, Refused, Viewing, page, to},
};

/// Licenses that end, as many as home shows.
const ENDING: usize = 10;

/// `GET /`.
pub(super) async fn begin(viewing: Viewing) -> Response {
    to(match viewing.desk() {
        Desk::Provider => "/home",
        Desk::Distributor => "/actions",
        Desk::Vendor => "/vendor",
        Desk::Company => "/own-company",
    })
}

/// `GET /home`.
pub(super) async fn home(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Provider {
        return Err(ProblemKind::NotFound.into());
    }
    let (service, actor) = (&viewing.service, viewing.actor());
    let waiting = my_actions(service, actor).await?;
    let forecast = view_forecast(service, actor).await?;
    let newest = waiting.items.iter().max_by_key(|item| item.month.period).and_then(points_of);
    let (ending, more_ending) = ending(&viewing).await?;
    let without_licenses = waiting.items.is_empty() && !actions::has_licenses(&viewing).await?;
    let part = Home {
        said: said(&fields),
        next: viewing.deadline(waiting.next),
        next_period: Period::of(viewing.now),
        actions: waiting.items.into_iter().map(|item| actions::action(&viewing, item)).collect(),
        without_licenses,
        ending,
        more_ending,
        forecast: forecast.map(|now| card(&now, newest)),
    };
    page(&viewing, part).await
}

fn points_of(item: &MyAction) -> Option<(Period, Points)> {
    Some((item.month.period, item.progress.as_ref()?.points))
}

fn card(now: &Forecast, newest: Option<(Period, Points)>) -> ForecastCard {
    let before = newest.filter(|(period, _)| *period == now.period.prev());
    ForecastCard {
        period: now.period,
        reported: now.reported,
        commit: now.commit,
        enforcement: now.enforcement,
        overage: now.overage,
        change: before.map(|(_, points)| now.reported - points),
        seen: now.seen,
        unseen: now.unseen,
    }
}

/// What is over, then what ends within 30 days, nearest end first.
async fn ending(viewing: &Viewing) -> Result<(Vec<EndingRow>, bool), Refused> {
    let mut rows = Vec::new();
    let mut more = false;
    let paging = Paging { cursor: None, limit: Some(ENDING as u32) };
    for state in [StateFilter::Expired, StateFilter::Restricted, StateFilter::Expiring] {
        let filter = LicenseFilter { state: Some(state), ..LicenseFilter::default() };
        let found = list_licenses(&viewing.service, viewing.actor(), None, filter, &paging).await?;
        more |= found.next.is_some();
        rows.extend(found.items.iter().filter_map(row));
    }
    rows.sort_by_key(|row| row.expires);
    more |= rows.len() > ENDING;
    rows.truncate(ENDING);
    Ok((rows, more))
}

fn row(view: &LicenseView) -> Option<EndingRow> {
    let life = view.life.as_ref()?;
    Some(EndingRow {
        href: present::licenses::href(view),
        product: present::licenses::name(view),
        company: match present::licenses::holder(view) {
            Holder::Company(company) => company,
            Holder::Own | Holder::Nobody => "Your own".to_owned(),
        },
        state: life.state,
        expires: life.expires,
        because: expiry_text(view),
    })
}
