//! Licenses: the list and one of them.

use std::collections::{BTreeMap, BTreeSet};

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use tenure_core::{AgreementId, AgreementKind, CompanyId, TemplateId};
use tenure_service::{
    self as service, Actor, CompanyFilter, CompanyKind, LicenseFilter, LicenseKey, LicenseView, ProblemKind,
};
use uuid::Uuid;

use super::{catalog, license_shape::shape};
use crate::{
    Console, answer,
    error::Refusal,
    listing::{Listing, Selected, all},
    principal::Caller,
};

/// What the rows of licenses name.
pub(crate) struct Around {
    /// The provider's name.
    pub(crate) provider: String,
    /// Which of the companies are resellers.
    pub(crate) resellers: BTreeSet<CompanyId>,
    kinds: BTreeMap<AgreementId, AgreementKind>,
}

impl Around {
    pub(crate) async fn of(state: &Console, actor: &Actor) -> Result<Self, Refusal> {
        let agreements = catalog::agreements(state, actor).await?;
        let filter = CompanyFilter { kind: Some(CompanyKind::Reseller), ..CompanyFilter::default() };
        let resellers =
            all(async |paging| service::list_companies(&state.service, actor, None, filter.clone(), &paging).await);
        Ok(Self {
            provider: service::view_organization(&state.service, actor, actor.org).await?.name,
            resellers: resellers.await?.into_iter().map(|row| row.id).collect(),
            kinds: agreements.iter().map(|view| (view.agreement.id, view.agreement.kind)).collect(),
        })
    }

    pub(crate) fn kind(&self, agreement: AgreementId) -> Option<AgreementKind> {
        self.kinds.get(&agreement).copied()
    }
}

/// Every license and template of the provider, or of the caller's site.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
) -> Result<Response, Refusal> {
    let views = every(&state, &actor).await?;
    let around = Around::of(&state, &actor).await?;
    Ok(listing.of(views.iter().map(|view| shape(view, &around)).collect()))
}

pub(crate) async fn every(state: &Console, actor: &Actor) -> Result<Vec<LicenseView>, Refusal> {
    let filter = LicenseFilter::default();
    all(async |paging| service::list_licenses(&state.service, actor, None, filter, &paging).await).await
}

/// One of them.
pub(crate) async fn show(
    State(state): State<Console>,
    Caller(actor): Caller,
    Path(uid): Path<String>,
    Selected(select): Selected,
) -> Result<Response, Refusal> {
    Ok(answer::single(shown(&state, &actor, key(&uid)?).await?, &select))
}

/// The template that a path names. What is no UUID names nothing.
pub(super) fn key(uid: &str) -> Result<TemplateId, Refusal> {
    Ok(Uuid::try_parse(uid).map(TemplateId::from_uuid).map_err(|_| ProblemKind::NotFound)?)
}

pub(super) async fn shown(state: &Console, actor: &Actor, id: TemplateId) -> Result<Value, Refusal> {
    let (view, _) = service::view_license(&state.service, actor, None, LicenseKey::Template(id)).await?;
    Ok(shape(&view, &Around::of(state, actor).await?))
}
