//! Switching automatic reporting of several licenses at once.

use axum::{http::StatusCode, response::Response};
use tenure_core::{reporting::AutomaticReporting, roles::Action};
use tenure_service::{LicenseView, ProblemKind, switch_reporting};

use super::{find, parse};
use crate::{
    pages::switch::{SwitchMany, SwitchRow, SwitchedMany},
    present,
    web::{Fields, Refused, Viewing, local_path, page, page_with},
};

/// Licenses switched at once: as many as a page of the list holds.
const MAX_CHOSEN: usize = 100;

/// `POST /licenses/automatic`: shows what switching brings; sent from there, switches each license on its own and says what
/// became of it.
pub(crate) async fn switch_many(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    let keys: Vec<&str> =
        fields.0.iter().filter(|(name, _)| name == "license").map(|(_, value)| value.as_str()).collect();
    if keys.is_empty() || keys.len() > MAX_CHOSEN {
        let words = if keys.is_empty() { "no license is chosen" } else { "at most 100 licenses are switched at once" };
        return Err(ProblemKind::InvalidInput.because(words).into());
    }
    let on = fields.is_set("on");
    let back = local_path(fields.get("back")).filter(|back| back.starts_with("/licenses")).unwrap_or("/licenses");
    if fields.is_set("sure") {
        return switch(&viewing, &keys, on, back).await;
    }
    let (mut rows, mut left) = (Vec::new(), Vec::new());
    for key in keys {
        let (view, _) = find(&viewing, key).await?;
        let why = why_not(&viewing, &view, on);
        let row = row(key, &view, why);
        if row.why.is_empty() { rows.push(row) } else { left.push(row) }
    }
    page(&viewing, SwitchMany { on, back: back.to_owned(), rows, left }).await
}

async fn switch(viewing: &Viewing, keys: &[&str], on: bool, back: &str) -> Result<Response, Refused> {
    let (mut rows, mut status) = (Vec::new(), StatusCode::OK);
    for key in keys {
        let done = switch_reporting(&viewing.service, viewing.actor(), parse(key)?, on, None).await;
        let why = match done.map_err(Refused::from) {
            Ok(_) => String::new(),
            Err(refused) if refused.is_for_the_form() => {
                status = refused.status();
                let problem = refused.problem();
                format!("{}: {}", problem.kind.title(), problem.detail)
            }
            Err(refused) => return Err(refused),
        };
        let (view, _) = find(viewing, key).await?;
        rows.push(row(key, &view, why));
    }
    rows.sort_by_key(|row| row.why.is_empty());
    page_with(viewing, status, SwitchedMany { on, back: back.to_owned(), rows }).await
}

/// Why a license would not be switched, as its own toggle says; empty when it would.
fn why_not(viewing: &Viewing, view: &LicenseView, on: bool) -> String {
    let toggle = present::licenses::toggle(view, "", viewing.may(Action::ManageLicenses, false));
    let is_fixed = matches!(view.reporting, AutomaticReporting::AlwaysOn | AutomaticReporting::AlwaysOff);
    match &view.toggle_refusal {
        _ if view.license.is_none() => "it is not assigned; say at its assignment how it reports".to_owned(),
        Some(refusal) if is_fixed => refusal.to_string(),
        _ if view.reporting.extends() == on => format!("it is {} already", if on { "on" } else { "off" }),
        _ if on && !view.product.reports => "its product does not report; usage is entered by hand".to_owned(),
        _ if toggle.can_be_set() => String::new(),
        Some(refusal) => refusal.to_string(),
        None => "you may not switch it".to_owned(),
    }
}

fn row(key: &str, view: &LicenseView, why: String) -> SwitchRow {
    let toggle = present::licenses::toggle(view, "", false);
    let more = toggle.waiting_for.len().saturating_sub(1);
    SwitchRow {
        key: key.to_owned(),
        href: present::licenses::href(view),
        product: present::licenses::name(view),
        holder: present::licenses::holder(view),
        state: view.reporting,
        expires: view.life.as_ref().map(|life| life.expires),
        installations: view.active_installations,
        waits_for: toggle.waiting_for.into_iter().next().map(|first| (first.name, more)),
        why,
    }
}
