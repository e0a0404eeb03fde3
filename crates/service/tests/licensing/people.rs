//! Signing in, and the sessions that come of it.

use tenure_core::{AgreementKind, roles::Role};
use tenure_service::{ProblemKind, SignIn, authenticate_session, authenticate_token, due, sign_in, sign_out};
use tenure_store::{Queue, StoreError, Tx, rows::session};
use zeroize::Zeroizing;

use crate::support::{ADMIN, World, kind};

fn with(email: &str, password: &str) -> SignIn {
    SignIn { email: email.to_owned(), password: Zeroizing::new(password.to_owned()) }
}

#[tokio::test]
async fn the_right_password_opens_a_session() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let signed = sign_in(service, with(" ADMIN@vendor.example ", &world.password)).await.unwrap();
    assert!(signed.token.starts_with("tns_") && signed.token.len() == 47);
    assert_eq!((signed.actor.org, signed.actor.role), (world.vendor.org, Role::VendorAdministrator));
    let person = authenticate_session(service, &signed.token).await.unwrap();
    assert_eq!((person.email.as_str(), person.org_name.as_str()), (ADMIN, "Example Software"));
    assert_eq!(authenticate_token(service, &signed.token).await.unwrap(), signed.actor, "a bearer token too");
    let other = sign_in(service, with(ADMIN, &world.password)).await.unwrap();
    sign_out(service, &signed.token).await.unwrap();
    assert_eq!(kind(authenticate_session(service, &signed.token).await), ProblemKind::Unauthenticated);
    assert!(authenticate_session(service, &other.token).await.is_ok(), "the other session stays");
    sign_out(service, &signed.token).await.unwrap();
}

#[tokio::test]
async fn sessions_end_when_idle_and_in_any_case() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    world.assigned(&provider, company, false).await;
    let idle = sign_in(service, with(ADMIN, &world.password)).await.unwrap();
    let used = sign_in(service, with(ADMIN, &world.password)).await.unwrap();
    world.set("2026-01-10T20:59:59Z");
    assert!(authenticate_session(service, &used.token).await.is_ok());
    world.set("2026-01-10T21:00:00Z");
    assert_eq!(kind(authenticate_session(service, &idle.token).await), ProblemKind::Unauthenticated);
    // Used every ten hours it lives, but not beyond its seventh day.
    for _ in 0..15 {
        world.advance_secs(10 * 3_600);
        assert!(authenticate_session(service, &used.token).await.is_ok());
    }
    world.set("2026-01-17T08:59:59Z");
    assert!(authenticate_session(service, &used.token).await.is_ok());
    world.set("2026-01-17T09:00:00Z");
    assert_eq!(kind(authenticate_session(service, &used.token).await), ProblemKind::Unauthenticated);
    // The month's forgetting takes what is over along.
    world.set("2026-02-25T00:00:00Z");
    while due::run_due(service).await.unwrap() > 0 {}
    let now = service.now();
    let left = async move |tx: &mut Tx| Ok::<_, StoreError>(session::purge(tx, now, now, 500).await?);
    assert_eq!(service.store().write(Queue::Jobs, left).await.unwrap(), 0);
}

#[tokio::test]
async fn wrong_passwords_wait_longer_and_longer_and_tell_nothing() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let refused = async |email: &str, password: &str| kind(sign_in(service, with(email, password)).await);
    assert_eq!(refused("nobody@vendor.example", "x").await, ProblemKind::SignInFailed);
    for _ in 0..4 {
        assert_eq!(refused(ADMIN, "wrong").await, ProblemKind::SignInFailed);
    }
    sign_in(service, with(ADMIN, &world.password)).await.expect("four are free, and forgotten now");
    for _ in 0..5 {
        assert_eq!(refused(ADMIN, "wrong").await, ProblemKind::SignInFailed);
    }
    assert_eq!(refused(ADMIN, &world.password).await, ProblemKind::SignInFailed, "locked, in the same words");
    world.advance_secs(59);
    assert_eq!(refused(ADMIN, &world.password).await, ProblemKind::SignInFailed);
    world.advance_secs(1);
    assert_eq!(refused(ADMIN, "wrong").await, ProblemKind::SignInFailed, "the sixth doubles the wait");
    world.advance_secs(119);
    assert_eq!(refused(ADMIN, &world.password).await, ProblemKind::SignInFailed);
    world.advance_secs(1);
    sign_in(service, with(ADMIN, &world.password)).await.expect("the wait is over");
    assert_eq!(refused(ADMIN, &"x".repeat(2_000)).await, ProblemKind::SignInFailed);
}
