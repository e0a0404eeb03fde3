//! Turning automatic reporting on and off, with servers that must show it.

use tenure_core::{AgreementKind, reporting::AutomaticReporting};
use tenure_service::{
    Because, Idempotency, LicenseKey, NewLicense, create_license, expiry_text, reporting_text, switch_reporting,
    view_license,
};

use crate::support::{Provider, World, at};

async fn state(world: &World, provider: &Provider, key: LicenseKey) -> AutomaticReporting {
    view_license(&world.service, &provider.admin, None, key).await.expect("the license").0.reporting
}

#[tokio::test]
async fn a_switch_is_complete_when_every_server_showed_it() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, false).await;
    let key = LicenseKey::License(license);
    let mut first = world.activate(&provider, license, "h1").await;
    let mut second = world.activate(&provider, license, "h2").await.without_auto_update();
    first.check_in(&world).await;
    second.check_in(&world).await;
    assert_eq!(first.license.expires_at, at("2028-01-01T00:00:00Z").as_secs());

    world.set("2026-02-10T09:00:00.7Z");
    world.enroll(&provider).await;
    let before = first.held.serial;
    let on = switch_reporting(service, &provider.admin, key, true, None).await.unwrap();
    assert_eq!(on, AutomaticReporting::SwitchingToOn);
    let again = switch_reporting(service, &provider.admin, key, true, None).await.unwrap();
    assert_eq!(again, AutomaticReporting::SwitchingToOn, "asking twice changes nothing");
    let (view, servers) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(view.waiting_for.len(), 2);
    let text = reporting_text(&view);
    assert!(text.contains("h1, h2 (its automatic update is off; press Update now there)"), "{text}");
    assert_eq!(view.life.map(|life| life.expires), Some(at("2026-04-25T09:00:00Z")), "counted from the switch");
    let issued: Vec<_> = servers.iter().map(|server| server.issued).collect();
    assert_eq!(issued[0], issued[1], "one serial for both");
    assert!(issued[0].1 > before);

    first.check_in(&world).await;
    assert!(first.license.automatic_reporting && first.held.serial == issued[0].1);
    assert_eq!(first.license.anchor, Some(at("2026-02-10T09:00:00Z").as_secs()));
    assert_eq!(first.license.expires_at, at("2026-04-25T09:00:00Z").as_secs());
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::SwitchingToOn, "it has not shown it yet");
    first.check_in(&world).await;
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(view.waiting_for.iter().map(|one| one.name.as_str()).collect::<Vec<_>>(), ["h2"]);
    second.check_in(&world).await;
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::SwitchingToOn, "h2 does not update by itself");
}

#[tokio::test]
async fn off_keeps_the_date_and_on_again_gains_nothing() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, true).await;
    let key = LicenseKey::License(license);
    let mut product = world.activate(&provider, license, "h1").await;
    world.set("2026-02-20T10:00:00Z");
    let off = switch_reporting(service, &provider.admin, key, false, None).await.unwrap();
    assert_eq!(off, AutomaticReporting::SwitchingToOff);
    product.check_in(&world).await;
    assert!(!product.license.automatic_reporting && product.license.anchor.is_none());
    assert_eq!(product.license.expires_at, at("2026-04-15T10:00:00Z").as_secs(), "the date it had reached");
    product.check_in(&world).await;
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::Off);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert!(matches!(view.life.as_ref().map(|life| &life.because), Some(Because::Chosen { cut_by_agreement: false })));
    assert_eq!(expiry_text(&view), "The expiration date was set by hand.");

    let serial = product.held.serial;
    world.set("2026-02-25T10:00:00Z");
    switch_reporting(service, &provider.admin, key, true, None).await.unwrap();
    product.check_in(&world).await;
    assert!(product.held.serial > serial);
    assert_eq!(product.license.anchor, Some(at("2026-01-31T10:00:00Z").as_secs()), "the first anchor stays");
    assert_eq!(product.license.expires_at, at("2026-04-15T10:00:00Z").as_secs());
    product.check_in(&world).await;
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::On);
}

#[tokio::test]
async fn without_a_server_a_switch_is_complete_at_once() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = LicenseKey::License(world.assigned(&provider, company, false).await);
    let on = switch_reporting(service, &provider.admin, license, true, None).await.unwrap();
    assert_eq!(on, AutomaticReporting::On);
    // A template is switched for its next assignment.
    let template = create_license(service, &provider.admin, world.hosts(&provider).await, None).await.unwrap().template;
    let key = LicenseKey::Template(template);
    assert_eq!(switch_reporting(service, &provider.admin, key, true, None).await.unwrap(), AutomaticReporting::On);
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::On);
    assert_eq!(switch_reporting(service, &provider.admin, key, false, None).await.unwrap(), AutomaticReporting::Off);
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::Off);
    let undated = NewLicense { automatic: true, last_day: None, ..world.hosts(&provider).await };
    let undated = create_license(service, &provider.admin, undated, None).await.unwrap().template;
    let off = switch_reporting(service, &provider.admin, LicenseKey::Template(undated), false, None).await;
    assert!(crate::support::words(off).contains("needs an expiration date"));
}

#[tokio::test]
async fn a_switch_sent_twice_with_one_key_is_done_once() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, false).await;
    let key = LicenseKey::License(license);
    world.activate(&provider, license, "h1").await;
    let named = || Some(Idempotency::new("switch-1", [9; 32]).unwrap());
    switch_reporting(service, &provider.admin, key, true, named()).await.unwrap();
    switch_reporting(service, &provider.admin, key, false, None).await.unwrap();
    let repeated = switch_reporting(service, &provider.admin, key, true, named()).await.unwrap();
    assert_eq!(repeated, AutomaticReporting::SwitchingToOn, "the first answer");
    assert_eq!(state(&world, &provider, key).await, AutomaticReporting::SwitchingToOff, "and no second switch");
}
