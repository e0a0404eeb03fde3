//! Companies that turn out to be one.

use std::collections::BTreeSet;

use tenure_core::{AgreementKind, roles::Role};
use tenure_service::{
    Actor, CompanyChange, CompanyKind, Idempotency, IfMatch, LicenseKey, LicenseMove, NewCompany, ProblemKind,
    create_company, edit_company, merge_companies, move_license, preview_merges, view_company, view_license,
};

use crate::support::{World, actor, kind, words};

#[tokio::test]
async fn merging_moves_all_licenses_keeps_their_validity_and_closes_the_other() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let (old, new) = (world.company(&provider, "Contoso AG").await, world.company(&provider, "contoso ag").await);
    let license = world.assigned(&provider, old, true).await;
    let second = world.assigned(&provider, old, false).await;
    let _ = world.assigned(&provider, new, false).await;
    let _ = world.activate(&provider, license, "h1").await;
    let life = async |id| view_license(service, &provider.admin, None, LicenseKey::License(id)).await.unwrap().0;
    let before = life(license).await;

    let found = preview_merges(service, &provider.admin).await.unwrap();
    assert_eq!(found.len(), 1);
    let sides = |side: &tenure_service::MergeSide| (side.company.id, side.licenses);
    assert_eq!(
        (sides(&found[0].keep), found[0].others.iter().map(sides).collect::<Vec<_>>()),
        ((old, 2), vec![(new, 1)])
    );

    // By hand it goes the other way round.
    merge_companies(service, &provider.admin, new, BTreeSet::from([old]), None).await.unwrap();
    for id in [license, second] {
        assert_eq!(life(id).await.company.map(|company| company.id), Some(new));
    }
    assert_eq!(life(license).await.life.unwrap().expires, before.life.unwrap().expires);
    let gone = view_company(service, &provider.admin, None, old).await.unwrap();
    assert_eq!((gone.merged_into, gone.closed.is_some()), (Some(new), true));
    assert_eq!(preview_merges(service, &provider.admin).await.unwrap(), []);
    let again = merge_companies(service, &provider.admin, new, BTreeSet::from([old]), None).await;
    assert!(again.is_ok(), "what is merged already stays so");

    let open = CompanyChange { open: Some(true), ..CompanyChange::default() };
    let opened = edit_company(service, &provider.admin, old, IfMatch::Any, open).await.unwrap();
    assert_eq!((opened.merged_into, opened.closed), (None, None));
    assert_eq!(life(license).await.company.map(|company| company.id), Some(new), "what moved stays where it went");
}

#[tokio::test]
async fn what_cannot_be_one_is_not_merged() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let other = world.provider("Southport Cloud", AgreementKind::Volume).await;
    let (contoso, fabrikam) =
        (world.company(&provider, "Contoso AG").await, world.company(&provider, "Fabrikam").await);
    let foreign = world.company(&other, "Contoso AG").await;
    let reseller = NewCompany { name: "Contoso AG".to_owned(), kind: CompanyKind::Reseller, ..NewCompany::default() };
    let reseller = create_company(service, &provider.admin, reseller, None).await.unwrap().id;
    assert_eq!(preview_merges(service, &provider.admin).await.unwrap(), [], "a reseller is no customer");

    let merge =
        async |who, into, gone: &[_]| merge_companies(service, who, into, gone.iter().copied().collect(), None).await;
    let reader = actor(provider.org, Role::ProviderReadOnly);
    for (who, into, gone, expected) in [
        (&reader, contoso, vec![fabrikam], ProblemKind::Forbidden),
        (&other.admin, contoso, vec![foreign], ProblemKind::NotFound),
        (&provider.admin, contoso, vec![foreign], ProblemKind::NotFound),
        (&provider.admin, foreign, vec![contoso], ProblemKind::NotFound),
        (&provider.admin, contoso, vec![reseller], ProblemKind::InvalidInput),
        (&provider.admin, contoso, vec![contoso], ProblemKind::InvalidInput),
        (&provider.admin, contoso, Vec::new(), ProblemKind::InvalidInput),
    ] {
        assert_eq!(kind(merge(who, into, &gone).await), expected, "{gone:?} into {into}");
    }
    merge(&provider.admin, contoso, &[fabrikam]).await.unwrap();
    let third = world.company(&provider, "Litware").await;
    assert!(words(merge(&provider.admin, third, &[contoso]).await).contains("merged into it"));
    assert_eq!(kind(merge(&provider.admin, fabrikam, &[third]).await), ProblemKind::Inactive);
}

#[tokio::test]
async fn who_sees_one_site_moves_no_license_of_another() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (rome, hamburg) = (world.site(&provider, "Rome").await, world.site(&provider, "Hamburg").await);
    let in_rome = async |name: &str| {
        let company = NewCompany { name: name.to_owned(), site: Some(rome), ..NewCompany::default() };
        create_company(service, &provider.admin, company, None).await.unwrap().id
    };
    let (old, new) = (in_rome("Contoso AG").await, in_rome("Contoso").await);
    let license = LicenseKey::License(world.assigned(&provider, old, false).await);
    let to = LicenseMove { company: None, site: Some(Some(hamburg)) };
    move_license(service, &provider.admin, license, to, None).await.unwrap();
    let local = Actor { site: Some(rome), ..actor(provider.org, Role::ProviderLocation) };
    let merged = merge_companies(service, &local, new, BTreeSet::from([old]), None).await;
    assert!(words(merged).contains("licenses of other sites"));
    merge_companies(service, &provider.admin, new, BTreeSet::from([old]), None).await.unwrap();
}

#[tokio::test]
async fn more_licenses_than_fit_into_one_transaction_move_in_several() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (keep, gone) = (world.company(&provider, "Contoso AG").await, world.company(&provider, "Contoso").await);
    let mut moved = Vec::new();
    for _ in 0..101 {
        moved.push(world.assigned(&provider, gone, false).await);
    }
    let name = Idempotency::new("merge", [7; 32]).unwrap();
    for _ in 0..2 {
        merge_companies(service, &provider.admin, keep, BTreeSet::from([gone]), Some(name.clone())).await.unwrap();
    }
    for license in [moved[0], moved[100]] {
        let (view, _) = view_license(service, &provider.admin, None, LicenseKey::License(license)).await.unwrap();
        assert_eq!(view.company.map(|company| company.id), Some(keep));
    }
    let closed = view_company(service, &provider.admin, None, gone).await.unwrap();
    assert_eq!((closed.merged_into, closed.closed.is_some()), (Some(keep), true));
}
