//! Machines' tokens.

use tenure_core::{AgreementKind, roles::Role};
use tenure_service::{
    ActorKind, CompanyFilter, NewCompany, NewToken, ProblemKind, TokenScope, authenticate_token, create_company,
    create_token, list_agreements, list_companies, revoke_token,
};

use crate::support::{World, actor, at, first_page, kind};

fn token(scope: TokenScope, expires: &str) -> NewToken {
    NewToken { name: "nightly script".to_owned(), scope, site: None, expires: at(expires) }
}

#[tokio::test]
async fn a_token_acts_for_its_organization_within_its_scope() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let make =
        async |scope| create_token(service, &provider.admin, token(scope, "2026-06-01T00:00:00Z"), None).await.unwrap();
    let (read, manage) = (make(TokenScope::Read).await, make(TokenScope::Manage).await);
    assert!(read.token.starts_with("tnr_") && *read.token != *manage.token);
    let reader = authenticate_token(service, &read.token).await.unwrap();
    assert_eq!((reader.kind, reader.org, reader.role), (ActorKind::Token(read.id), provider.org, Role::TokenRead));
    assert_eq!(list_agreements(service, &reader, &first_page()).await.unwrap().items.len(), 1);
    let company = || NewCompany { name: "Contoso AG".to_owned(), site: None, ..NewCompany::default() };
    assert_eq!(kind(create_company(service, &reader, company(), None).await), ProblemKind::Forbidden);
    let manager = authenticate_token(service, &manage.token).await.unwrap();
    create_company(service, &manager, company(), None).await.expect("a manage token may");
    let more = create_token(service, &manager, token(TokenScope::Read, "2026-06-01T00:00:00Z"), None).await;
    assert_eq!(kind(more), ProblemKind::Forbidden, "a token never makes another way in");
    assert_eq!(kind(revoke_token(service, &manager, read.id).await), ProblemKind::Forbidden);
}

#[tokio::test]
async fn tokens_end() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let make =
        async |expires: &str| create_token(service, &provider.admin, token(TokenScope::Report, expires), None).await;
    let short = make("2026-01-10T10:00:00Z").await.unwrap();
    let long = make("2027-12-01T00:00:00Z").await.unwrap();
    for bad in ["2026-01-10T09:00:00Z", "2028-01-12T00:00:00Z"] {
        assert_eq!(kind(make(bad).await), ProblemKind::InvalidInput, "{bad}");
    }
    world.set("2026-01-10T09:59:59Z");
    assert_eq!(authenticate_token(service, &short.token).await.unwrap().role, Role::TokenReport);
    world.set("2026-01-10T10:00:00Z");
    assert_eq!(kind(authenticate_token(service, &short.token).await), ProblemKind::Unauthenticated);
    assert_eq!(kind(revoke_token(service, &other.admin, long.id).await), ProblemKind::NotFound, "another's token");
    assert!(authenticate_token(service, &long.token).await.is_ok());
    revoke_token(service, &provider.admin, long.id).await.unwrap();
    assert_eq!(kind(authenticate_token(service, &long.token).await), ProblemKind::Unauthenticated);
    assert_eq!(kind(revoke_token(service, &provider.admin, long.id).await), ProblemKind::NotFound);
    for unknown in ["", "tnr_", "tns_x", "Bearer tnr_x", &long.token[..40]] {
        assert_eq!(kind(authenticate_token(service, unknown).await), ProblemKind::Unauthenticated, "{unknown}");
    }
    let viewer = actor(provider.org, Role::ProviderReadOnly);
    let made = create_token(service, &viewer, token(TokenScope::Read, "2026-06-01T00:00:00Z"), None).await;
    assert_eq!(kind(made), ProblemKind::Forbidden);
}

#[tokio::test]
async fn a_sites_token_sees_its_site_only() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (hamburg, rome) = (world.site(&provider, "Hamburg").await, world.site(&provider, "Rome").await);
    for site in [None, Some(hamburg), Some(rome)] {
        let input = NewCompany { name: "Contoso AG".to_owned(), site, ..NewCompany::default() };
        create_company(service, &provider.admin, input, None).await.unwrap();
    }
    let foreign = NewToken { site: Some(hamburg), ..token(TokenScope::Manage, "2026-06-01T00:00:00Z") };
    assert_eq!(kind(create_token(service, &other.admin, foreign.clone(), None).await), ProblemKind::NotFound);
    let vendors = create_token(service, &world.vendor, foreign.clone(), None).await;
    assert_eq!(kind(vendors), ProblemKind::InvalidInput, "a vendor has no sites");
    let made = create_token(service, &provider.admin, foreign, None).await.unwrap();
    let confined = authenticate_token(service, &made.token).await.unwrap();
    let seen = list_companies(service, &confined, None, CompanyFilter::default(), &first_page()).await.unwrap().items;
    assert_eq!(seen.iter().map(|row| row.site).collect::<Vec<_>>(), [Some(hamburg)]);
    let elsewhere = NewCompany { name: "Fabrikam".to_owned(), site: Some(rome), ..NewCompany::default() };
    assert_eq!(kind(create_company(service, &confined, elsewhere, None).await), ProblemKind::NotFound);
    let here = NewCompany { name: "Fabrikam".to_owned(), site: None, ..NewCompany::default() };
    assert_eq!(create_company(service, &confined, here, None).await.unwrap().site, Some(hamburg));
}
