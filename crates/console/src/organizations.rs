//! `GET /organizations`: the provider and its companies.

use axum::{extract::State, response::Response};
use tenure_service::{self as service, CompanyKind};

use crate::{
    Console,
    error::Refusal,
    listing::Listing,
    principal::Caller,
    pulse::{companies, organization},
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
    rows.extend(companies(&state, &actor).await?.iter().map(|row| {
        let kind = if row.kind == CompanyKind::Reseller { "Reseller" } else { "Company" };
        organization(row.id.uuid(), &row.name, kind)
    }));
    Ok(listing.of(rows))
}
