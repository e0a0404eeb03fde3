//! Settings: people and roles, API tokens, the viewer's own account.

mod account;
mod console;
mod people;
mod second_step;
mod tokens;

use axum::{
    Router,
    response::Response,
    routing::{get, post},
};
use tenure_core::{SiteId, roles::Action};
use tenure_service::{MAX_PAGE, Paging, list_sites};

use crate::{
    pages::{
        Choice, Desk,
        settings::{Tab, Tabs},
    },
    web::{Portal, Refused, Viewing, to},
};

pub(super) fn routes() -> Router<Portal> {
    Router::new()
        .route("/settings", get(begin))
        .route("/settings/people", get(people::list).post(people::create))
        .route("/settings/people/{id}", get(people::show).post(people::edit))
        .route("/settings/people/{id}/access", post(people::access))
        .route("/settings/people/{id}/password-link", post(people::password_link))
        .route("/settings/people/{id}/sign-out", post(people::sign_out))
        .route("/settings/people/{id}/second-step", post(people::second_step))
        .route("/settings/tokens", get(tokens::list).post(tokens::create))
        .route("/settings/tokens/{id}/rotate", post(tokens::rotate))
        .route("/settings/tokens/{id}/revoke", post(tokens::revoke))
        .route("/settings/console", get(console::list))
        .route("/settings/console/merge", get(console::list).post(console::merge))
        .route("/settings/account", get(account::show))
        .route("/settings/account/sessions", post(account::end_sessions))
        .route("/settings/account/password", post(account::password))
        .route("/settings/account/second-step", get(account::show).post(second_step::begin))
        .route("/settings/account/second-step/confirm", get(account::show).post(second_step::confirm))
        .route("/settings/account/second-step/codes", get(account::show).post(second_step::codes))
        .route("/settings/account/second-step/remove", get(account::show).post(second_step::remove))
}

/// `GET /settings`: the first of its pages that the viewer has.
async fn begin(viewing: Viewing) -> Response {
    let tabs = tabs(&viewing, Tab::Account);
    to(if tabs.people { "/settings/people" } else { "/settings/account" })
}

/// Who is confined to a site or a company has nothing to do with the others'.
fn tabs(viewing: &Viewing, current: Tab) -> Tabs {
    let has_all = viewing.actor().site.is_none() && viewing.desk() != Desk::Company;
    Tabs {
        people: has_all && viewing.may(Action::View, false),
        tokens: viewing.may(Action::ManagePeople, false),
        console: viewing.desk() == Desk::Provider && viewing.may(Action::ManagePeople, false),
        current,
    }
}

/// The organization's sites with their names; only providers have any.
pub(super) async fn sites(viewing: &Viewing) -> Result<Vec<(SiteId, String)>, Refused> {
    if viewing.desk() != Desk::Provider {
        return Ok(Vec::new());
    }
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let sites = list_sites(&viewing.service, viewing.actor(), viewing.actor().org, &paging).await?;
    Ok(sites.items.into_iter().map(|site| (site.id, site.name)).collect())
}

/// Sites to choose from, with none as the first; nothing where there are none.
pub(super) fn site_choices(sites: &[(SiteId, String)], none: &str, wanted: &str) -> Vec<Choice> {
    if sites.is_empty() {
        return Vec::new();
    }
    let first = Choice::new("", none, wanted);
    std::iter::once(first).chain(sites.iter().map(|(id, name)| Choice::new(id.to_string(), name, wanted))).collect()
}

pub(super) fn site_name(sites: &[(SiteId, String)], site: Option<SiteId>) -> String {
    let named = site.and_then(|site| sites.iter().find(|(id, _)| *id == site));
    named.map(|(_, name)| name.clone()).unwrap_or_default()
}
