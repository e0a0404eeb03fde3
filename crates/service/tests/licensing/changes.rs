//! What becomes of a license after its creation: who may, what is refused, and what is left behind.

use tenure_core::{AgreementKind, roles::Role};
use tenure_service::{
    Actor, InstallationFilter, LicenseEdit, LicenseKey, LicenseMove, NewCompany, ProblemKind, copy_license,
    create_company, delete_license, edit_license, list_installations, move_license, reidentify_installation,
    retire_installation, revoke_license, set_shadow_month, view_license, void_installation,
};
use tenure_store::outbox;

use crate::support::{World, actor, first_page, kind, words, workload};

fn hosts(count: u32) -> LicenseEdit {
    LicenseEdit { workloads: Some(vec![workload("host", "", count)]), ..LicenseEdit::default() }
}

#[tokio::test]
async fn a_suspended_provider_lowers_and_ends_but_does_not_grow() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, false).await;
    let key = LicenseKey::License(license);
    edit_license(service, &provider.admin, key, hosts(15), None).await.unwrap();
    // January and February are past their deadline and not submitted.
    world.set("2026-03-11T00:00:00Z");
    let edit = async |edit| edit_license(service, &provider.admin, key, edit, None).await;
    assert_eq!(kind(edit(hosts(16)).await), ProblemKind::Suspended);
    let longer = LicenseEdit { last_day: Some("2028-01-31".parse().unwrap()), ..LicenseEdit::default() };
    assert_eq!(kind(edit(longer).await), ProblemKind::Suspended, "a later end is growth");
    assert_eq!(kind(copy_license(service, &provider.admin, key, None).await), ProblemKind::Suspended);
    assert_eq!(kind(set_shadow_month(service, &provider.admin, key, true).await), ProblemKind::Suspended);
    edit(hosts(10)).await.unwrap();
    edit(LicenseEdit { description: Some(" Rome ".to_owned()), ..LicenseEdit::default() }).await.unwrap();
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!((view.description.as_str(), view.workloads[0].count), ("Rome", 10));
    revoke_license(service, &provider.admin, key, None).await.unwrap();
    let template = LicenseKey::Template(view.template);
    delete_license(service, &provider.admin, template, None).await.unwrap();
    assert_eq!(kind(view_license(service, &provider.admin, None, template).await), ProblemKind::NotFound);
}

#[tokio::test]
async fn what_is_not_theirs_does_not_exist_and_readers_change_nothing() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Southport Cloud", AgreementKind::Volume).await;
    let (company, foreign) = (world.company(&provider, "Contoso AG").await, world.company(&other, "Fabrikam").await);
    let license = world.assigned(&provider, company, false).await;
    let server = world.activate(&provider, license, "h1").await;
    let key = LicenseKey::License(license);
    let to = |company| LicenseMove { company: Some(company), site: None };
    let moved = move_license(service, &provider.admin, key, to(foreign), None).await;
    assert_eq!(kind(moved), ProblemKind::NotFound, "never across providers");
    let reader = actor(provider.org, Role::ProviderReadOnly);
    for (who, expected) in [(&other.admin, ProblemKind::NotFound), (&reader, ProblemKind::Forbidden)] {
        assert_eq!(kind(edit_license(service, who, key, hosts(1), None).await), expected);
        assert_eq!(kind(move_license(service, who, key, to(company), None).await), expected);
        assert_eq!(kind(copy_license(service, who, key, None).await), expected);
        assert_eq!(kind(revoke_license(service, who, key, None).await), expected);
        assert_eq!(kind(delete_license(service, who, key, None).await), expected);
        assert_eq!(kind(set_shadow_month(service, who, key, true).await), expected);
        assert_eq!(kind(retire_installation(service, who, server.ins, None).await), expected);
        assert_eq!(kind(void_installation(service, who, server.ins, None).await), expected);
        assert_eq!(kind(reidentify_installation(service, who, server.ins).await), expected);
    }
    let unknown = LicenseEdit { workloads: Some(vec![workload("mailbox", "", 1)]), ..LicenseEdit::default() };
    assert!(
        words(edit_license(service, &provider.admin, key, unknown, None).await).contains("no workload type mailbox")
    );
}

#[tokio::test]
async fn who_is_confined_to_a_site_reaches_its_licenses_and_servers_only() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (rome, oslo) = (world.site(&provider, "Rome").await, world.site(&provider, "Oslo").await);
    let in_rome = NewCompany { name: "Contoso AG".to_owned(), site: Some(rome), ..NewCompany::default() };
    let in_rome = create_company(service, &provider.admin, in_rome, None).await.unwrap().id;
    let license = world.assigned(&provider, in_rome, false).await;
    let server = world.activate(&provider, license, "h1").await;
    let key = LicenseKey::License(license);
    let at = |site| Actor { site: Some(site), ..actor(provider.org, Role::ProviderLocation) };
    assert_eq!(kind(revoke_license(service, &at(rome), key, None).await), ProblemKind::NotFound, "it has no site yet");
    let to = |site| LicenseMove { company: None, site: Some(site) };
    move_license(service, &provider.admin, key, to(Some(rome)), None).await.unwrap();
    let seen = async |site| {
        let (who, page) = (at(site), first_page());
        let list = list_installations(service, &who, None, InstallationFilter::default(), &page).await;
        list.unwrap().items.len()
    };
    assert_eq!((seen(rome).await, seen(oslo).await), (1, 0));
    assert_eq!(kind(move_license(service, &at(rome), key, to(Some(oslo)), None).await), ProblemKind::NotFound);
    assert_eq!(kind(move_license(service, &at(rome), key, to(None), None).await), ProblemKind::NotFound);
    assert_eq!(kind(retire_installation(service, &at(oslo), server.ins, None).await), ProblemKind::NotFound);
    retire_installation(service, &at(rome), server.ins, None).await.unwrap();
}

#[tokio::test]
async fn a1_the_provider_is_told_once_of_a_code_shown_twice() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, false).await;
    let key = LicenseKey::License(license);
    let file = tenure_service::download_license(service, &provider.admin, key, None).await.unwrap();
    let (code, _) = file.activation.unwrap();
    world.activate_with(&code, "elsewhere").await.unwrap();
    for _ in 0..3 {
        world.advance_secs(60);
        let refused = world.activate_with(&code, "bkp-01").await;
        assert_eq!(kind(refused), ProblemKind::CodeUsed);
    }
    let mut read = service.store().read().await.unwrap();
    let sent = outbox::pending(&mut read, service.now(), 500).await.unwrap();
    let told: Vec<_> = sent.iter().filter(|each| each.kind == "installation.code_shown_again").collect();
    assert_eq!(told.len(), 1, "once per code");
    assert_eq!(told[0].to, provider.org.to_string());
    let body = told[0].body.to_string();
    assert!(body.contains("elsewhere") && body.contains("bkp-01") && body.contains("2026-01-10T09:01:00Z"), "{body}");
}
