//! `GET /organizations`: the provider and its companies.

use axum::{extract::State, response::Response};
use tenure_service as service;

use crate::{
    Console,
    error::Refusal,
    listing::Listing,
    principal::Caller,
    pulse::{companies, company_type, organization},
};

/// The provider first, then its companies and resellers in the order they were added.
pub(crate) async fn list(
    State(state): State<Console>,
    Caller(actor): Caller,
    listing: Listing,
) -> Result<Response, Refusal> {
    // Nobody but a provider has companies.
    service::view_console(&state.service, &actor).await?;
    let own = service::view_organization(&state.service, &actor, actor.org).await?;
    let mut rows = vec![organization(own.id.uuid(), &own.name, "Provider")];
    let companies = companies(&state, &actor).await?;
    rows.extend(companies.iter().map(|row| organization(row.id.uuid(), &row.name, company_type(row.kind))));
    Ok(listing.of(rows))
}
