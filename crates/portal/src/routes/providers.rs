//! A distributor's providers.

use std::collections::BTreeMap;

use axum::response::Response;
use tenure_core::{OrgId, Period};
use tenure_service::{AgreementView, MAX_PAGE, MonthSummary, Paging, ProblemKind, list_agreements, list_months};

use crate::{
    pages::{
        Desk,
        providers::{AgreementRow, Providers},
    },
    present,
    web::{Fields, Refused, Viewing, page},
};

/// `GET /providers`.
pub(super) async fn list(viewing: Viewing, fields: Fields) -> Result<Response, Refused> {
    if viewing.desk() != Desk::Distributor {
        return Err(ProblemKind::NotFound.into());
    }
    let period = Period::of(viewing.now).prev();
    let months = Paging { cursor: None, limit: Some(MAX_PAGE) };
    let months = list_months(&viewing.service, viewing.actor(), &months).await?.items;
    let months: BTreeMap<OrgId, MonthSummary> =
        months.into_iter().filter(|month| month.period == period).map(|month| (month.provider.id, month)).collect();
    let paging = Paging { cursor: present::cursor(&fields), limit: Some(MAX_PAGE) };
    let agreements = list_agreements(&viewing.service, viewing.actor(), &paging).await?;
    let part = Providers {
        period,
        rows: agreements.items.iter().map(|view| row(&viewing, view, months.get(&view.agreement.provider))).collect(),
        next: agreements.next.map(|cursor| format!("/providers?after={cursor}")).unwrap_or_default(),
    };
    page(&viewing, part).await
}

fn row(viewing: &Viewing, view: &AgreementView, month: Option<&MonthSummary>) -> AgreementRow {
    let agreement = &view.agreement;
    AgreementRow {
        provider: view.provider_name.clone(),
        number: agreement.number.clone(),
        kind: agreement.kind,
        commit: agreement.commit,
        limit: agreement.limit,
        signed: agreement.signed,
        ends: agreement.end(),
        is_terminated: agreement.terminated.is_some(),
        is_over: viewing.now >= agreement.end(),
        purchase_order: agreement.purchase_order.clone(),
        state: month.map(|month| month.state),
        is_late: month.is_some_and(|month| month.late),
        href: month.map(|month| present::month::href(Desk::Distributor, month.period, month.id)).unwrap_or_default(),
    }
}
