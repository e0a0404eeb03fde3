//! The vendor's home.

use std::collections::BTreeMap;

use axum::response::Response;
use tenure_core::{OrgId, Period};
use tenure_service::{
    AgreementView, MAX_PAGE, MonthSummary, Paging, ProblemKind, list_agreements, list_enrollment_requests, list_months,
};

use super::said;
use crate::{
    pages::{
        Desk,
        vendor::{ProviderRow, VendorHome},
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// `GET /vendor`: the month that is due, by provider, and what waits for a decision.
pub(super) async fn home(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Vendor {
        return Err(ProblemKind::NotFound.into());
    }
    let (service, actor) = (&viewing.service, viewing.actor());
    let period = Period::of(viewing.now).prev();
    let paging = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let requests = list_enrollment_requests(service, actor).await?;
    let months = list_months(service, actor, &paging).await?.items;
    let months: BTreeMap<OrgId, MonthSummary> =
        months.into_iter().filter(|month| month.period == period).map(|month| (month.provider.id, month)).collect();
    let open = months.values().filter(|month| !month.state.is_submitted()).map(|month| month.due).min();
    let agreements = list_agreements(service, actor, &paging).await?;
    let asks = |provider| requests.iter().any(|request| request.provider == provider);
    let part = VendorHome {
        said: said(&fields),
        requests: requests.len(),
        period,
        deadline: open.map(|due| viewing.deadline(due)),
        more: agreements.next.is_some(),
        providers: agreements
            .items
            .iter()
            .map(|view| row(view, months.get(&view.agreement.provider), asks(view.agreement.provider)))
            .collect(),
    };
    page(&viewing, part).await
}

fn row(view: &AgreementView, month: Option<&MonthSummary>, asks_for_reporting: bool) -> ProviderRow {
    ProviderRow {
        name: view.provider_name.clone(),
        distributor: view.distributor_name.clone(),
        agreement: view.agreement.number.clone(),
        state: month.map(|month| month.state),
        is_late: month.is_some_and(|month| month.late),
        total: month.and_then(|month| month.submitted).map(|submitted| submitted.total),
        href: month.map(|month| present::month::href(Desk::Vendor, month.period, month.id)).unwrap_or_default(),
        asks_for_reporting,
    }
}
