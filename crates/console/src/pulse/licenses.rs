//! Licenses: the list and one of them.

use axum::{
    extract::{Path, State},
    response::Response,
};
use serde_json::Value;
use tenure_core::TemplateId;
use tenure_service::{self as service, Actor, LicenseFilter, LicenseKey, LicenseView, ProblemKind};
use uuid::Uuid;

use super::{Resellers, license_shape::shape};
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
    pub(crate) resellers: Resellers,
}

impl Around {
    pub(crate) async fn of(state: &Console, actor: &Actor) -> Result<Self, Refusal> {
        Ok(Self {
            provider: service::view_organization(&state.service, actor, actor.org).await?.name,
            resellers: Resellers::of(state, actor).await?,
        })
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
