//! Creating, assigning, listing and downloading licenses.

use tenure_core::{
    AgreementKind, Points, UsageType,
    reporting::{AutomaticReporting, ToggleRefusal},
    roles::{OrgKind, Role},
    validity::LicenseState,
};
use tenure_service::{
    LicenseFilter, LicenseKey, NewCompany, NewLicense, Paging, ProblemKind, StateFilter, assign_license,
    create_company, create_license, download_license, expiry_text, list_licenses, preview_points, reporting_text,
    switch_reporting, view_license,
};

use crate::support::{World, actor, at, first_page, kind, words, workload};

#[tokio::test]
async fn a_template_costs_nothing_until_it_is_assigned() {
    let world = World::at("2026-01-31T10:00:00.5Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::NoCommit).await;
    let (one, like_named) =
        (world.company(&provider, "Contoso AG").await, world.company(&provider, "Contoso AG").await);
    let created = create_license(service, &provider.admin, world.hosts(&provider).await, None).await.unwrap();
    assert_eq!(created.license, None);
    let key = LicenseKey::Template(created.template);
    let (view, servers) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert!(view.life.is_none() && view.license.is_none() && servers.is_empty());
    assert_eq!((view.points, view.reporting), (Points::whole(54), AutomaticReporting::AlwaysOn), "12 hosts of 4.5");
    assert_eq!(kind(download_license(service, &provider.admin, key, None).await), ProblemKind::NotAssigned);
    let license = assign_license(service, &provider.admin, created.template, Some(like_named), None).await.unwrap();
    let again = assign_license(service, &provider.admin, created.template, Some(one), None).await;
    assert_eq!(kind(again), ProblemKind::AlreadyAssigned);
    let (view, _) = view_license(service, &provider.admin, None, LicenseKey::License(license)).await.unwrap();
    assert_eq!((view.template, view.license), (created.template, Some(license)));
    assert_eq!(view.company.as_ref().map(|company| company.id), Some(like_named), "not the other of that name");
    let life = view.life.as_ref().expect("it has a life now");
    assert_eq!(life.expires, at("2026-04-15T10:00:00Z"), "two months and 15 days, whole seconds");
    assert_eq!(life.state, LicenseState::Valid);
    assert_eq!(expiry_text(&view), "Counted from 2026-01-31. Reporting 2026-01 gives it one more month.");
    assert!(reporting_text(&view).contains("without commitment"), "{}", reporting_text(&view));
}

#[tokio::test]
async fn usage_types_decide_who_holds_and_whether_it_reports() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::NoCommit).await;
    let company = world.company(&provider, "Contoso AG").await;
    let hosts = world.hosts(&provider).await;
    for (usage_type, expected) in
        [(UsageType::Internal, AutomaticReporting::AlwaysOn), (UsageType::MultiCustomer, AutomaticReporting::AlwaysOff)]
    {
        let input = NewLicense { usage_type, automatic: true, ..hosts.clone() };
        let created = create_license(service, &provider.admin, input.clone(), None).await.unwrap();
        let license = created.license.expect("the provider holds it at once");
        let (view, _) = view_license(service, &provider.admin, None, LicenseKey::License(license)).await.unwrap();
        assert_eq!((view.company, view.reporting), (None, expected));
        let assigned = assign_license(service, &provider.admin, created.template, Some(company), None).await;
        assert_eq!(kind(assigned), ProblemKind::AlreadyAssigned);
        let with_company = NewLicense { company: Some(company), ..input };
        let refused = create_license(service, &provider.admin, with_company, None).await;
        assert_eq!(kind(refused), ProblemKind::InvalidInput);
    }
    // Without the toggle the date is the person's; a multi-customer license needs one whatever was asked for.
    let undated = NewLicense { usage_type: UsageType::MultiCustomer, automatic: true, last_day: None, ..hosts };
    let refused = create_license(service, &provider.admin, undated, None).await;
    assert!(words(refused).starts_with("expires_on is required"));
}

#[tokio::test]
async fn automatic_reporting_needs_the_enrollment() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let automatic = NewLicense { automatic: true, company: Some(company), ..world.hosts(&provider).await };
    let refused = create_license(service, &provider.admin, automatic.clone(), None).await;
    assert_eq!(kind(refused), ProblemKind::ReportingFixed);
    let by_hand = NewLicense { automatic: false, ..automatic.clone() };
    let created = create_license(service, &provider.admin, by_hand, None).await.unwrap();
    let key = LicenseKey::Template(created.template);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(
        (view.reporting, view.toggle_refusal.clone()),
        (AutomaticReporting::Off, Some(ToggleRefusal::NotEnrolled))
    );
    assert_eq!(view.life.as_ref().map(|life| life.expires), Some(at("2028-01-01T00:00:00Z")), "through its last day");
    assert_eq!(expiry_text(&view), "The expiration date was set by hand.");
    let switched = switch_reporting(service, &provider.admin, key, true, None).await;
    assert_eq!(kind(switched), ProblemKind::ReportingFixed);
    world.enroll(&provider).await;
    let created = create_license(service, &provider.admin, automatic.clone(), None).await.unwrap();
    let key = LicenseKey::Template(created.template);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!((view.reporting, view.toggle_refusal), (AutomaticReporting::On, None));
    assert_eq!(view.life.map(|life| life.expires), Some(at("2026-03-25T09:00:00Z")), "the explicit date is ignored");
    // A product that cannot report cannot be switched on by anyone's wish.
    let monitoring = world.product("monitoring", "Core").await;
    let silent = NewLicense { product: monitoring, workloads: vec![workload("monitored", "", 5)], ..automatic };
    let refused = create_license(service, &provider.admin, silent.clone(), None).await;
    assert_eq!(kind(refused), ProblemKind::ReportingFixed);
    let by_hand = NewLicense { automatic: false, ..silent };
    let created = create_license(service, &provider.admin, by_hand, None).await.unwrap();
    let switched = switch_reporting(service, &provider.admin, LicenseKey::Template(created.template), true, None).await;
    assert_eq!(kind(switched), ProblemKind::ReportingFixed);
}

#[tokio::test]
async fn points_of_a_key_round_up_and_a_preview_says_both() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let mail = world.product("mail-backup", "Cloud").await;
    let workloads = vec![workload("user", "", 9), workload("directory", "", 1)];
    let preview = preview_points(service, &provider.admin, mail, workloads.clone()).await.unwrap();
    assert_eq!((preview.exact.to_string(), preview.key), ("14.2".to_owned(), Points::whole(15)));
    let input = NewLicense { product: mail, workloads, ..world.hosts(&provider).await };
    let created = create_license(service, &provider.admin, input.clone(), None).await.unwrap();
    let key = LicenseKey::Template(created.template);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(view.points, Points::whole(15));
    assert_eq!(view.workloads.iter().map(|each| each.points.to_string()).collect::<Vec<_>>(), ["0.7", "13.5"]);
    let refused = [
        ("none", vec![]),
        ("unknown", vec![workload("host", "", 1)]),
        ("unknown variant", vec![workload("user", "premium", 1)]),
        ("zero", vec![workload("user", "", 0)]),
        ("too many", vec![workload("user", "", 10_000_001)]),
        ("twice", vec![workload("user", "", 1), workload("user", "", 2)]),
    ];
    for (why, workloads) in refused {
        let input = NewLicense { workloads, ..input.clone() };
        let result = create_license(service, &provider.admin, input, None).await;
        assert_eq!(kind(result), ProblemKind::InvalidInput, "{why}");
    }
}

#[tokio::test]
async fn explicit_dates_stay_within_the_agreement() {
    let world = World::at("2026-06-15T12:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let hosts = world.hosts(&provider).await;
    for (last_day, accepted) in
        [("2026-06-14", false), ("2026-06-15", true), ("2028-12-31", true), ("2029-01-01", false)]
    {
        let input = NewLicense { last_day: last_day.parse().ok(), ..hosts.clone() };
        assert_eq!(create_license(service, &provider.admin, input, None).await.is_ok(), accepted, "{last_day}");
    }
    world.set("2029-01-01T00:00:00Z");
    let input = NewLicense { last_day: "2029-06-01".parse().ok(), ..hosts };
    assert_eq!(kind(create_license(service, &provider.admin, input, None).await), ProblemKind::AgreementOver);
}

#[tokio::test]
async fn what_is_not_yours_is_not_there_and_roles_count() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let distributor = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let stranger = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let provider = world.provider_of("Northlight Hosting", AgreementKind::Volume, distributor).await;
    let other = world.provider_of("Northlight Hosting", AgreementKind::Volume, stranger).await;
    let company = world.company(&provider, "Contoso AG").await;
    let foreign_company = world.company(&other, "Contoso AG").await;
    let template = create_license(service, &provider.admin, world.hosts(&provider).await, None).await.unwrap().template;
    let license = world.assigned(&provider, company, false).await;

    let to_foreign = assign_license(service, &provider.admin, template, Some(foreign_company), None).await;
    assert_eq!(kind(to_foreign), ProblemKind::NotFound);
    assert_eq!(
        kind(assign_license(service, &other.admin, template, Some(foreign_company), None).await),
        ProblemKind::NotFound
    );
    for key in [LicenseKey::Template(template), LicenseKey::License(license)] {
        assert_eq!(kind(view_license(service, &other.admin, None, key).await), ProblemKind::NotFound);
        let named = view_license(service, &other.admin, Some(provider.org), key).await;
        assert_eq!(kind(named), ProblemKind::NotFound);
        assert_eq!(kind(switch_reporting(service, &other.admin, key, true, None).await), ProblemKind::NotFound);
        assert_eq!(kind(download_license(service, &other.admin, key, None).await), ProblemKind::NotFound);
    }
    let foreign_agreement = NewLicense { agreement: other.agreement, ..world.hosts(&provider).await };
    let refused = create_license(service, &provider.admin, foreign_agreement, None).await;
    assert_eq!(kind(refused), ProblemKind::NotFound);

    let key = LicenseKey::License(license);
    let readers = [
        actor(provider.org, Role::ProviderReadOnly),
        actor(provider.org, Role::TokenReport),
        actor(distributor, Role::DistributorAdministrator),
        world.vendor.clone(),
    ];
    for reader in readers {
        let named = Some(provider.org);
        assert!(view_license(service, &reader, named, key).await.is_ok(), "{:?}", reader.role);
        let seen = list_licenses(service, &reader, named, LicenseFilter::default(), &first_page()).await.unwrap();
        assert_eq!(seen.items.len(), 2, "{:?}", reader.role);
        let own = reader.org == provider.org;
        let expected = if own { ProblemKind::Forbidden } else { ProblemKind::NotFound };
        let made = create_license(service, &reader, world.hosts(&provider).await, None).await;
        assert_eq!(kind(made), expected, "{:?}", reader.role);
        assert_eq!(kind(download_license(service, &reader, key, None).await), expected, "{:?}", reader.role);
        assert_eq!(kind(assign_license(service, &reader, template, Some(company), None).await), expected);
        assert_eq!(kind(switch_reporting(service, &reader, key, true, None).await), expected);
    }
    let outsider = actor(stranger, Role::DistributorAdministrator);
    let seen = list_licenses(service, &outsider, Some(provider.org), LicenseFilter::default(), &first_page()).await;
    assert_eq!(kind(seen), ProblemKind::NotFound);
}

#[tokio::test]
async fn a_location_administrator_stays_at_its_site() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (hamburg, rome) = (world.site(&provider, "Hamburg").await, world.site(&provider, "Rome").await);
    let local = tenure_service::Actor { site: Some(hamburg), ..actor(provider.org, Role::ProviderLocation) };
    let in_rome = NewCompany { name: "Contoso AG".to_owned(), site: Some(rome), ..NewCompany::default() };
    let in_rome = create_company(service, &provider.admin, in_rome, None).await.unwrap().id;
    let hosts = world.hosts(&provider).await;
    let mine = create_license(service, &local, hosts.clone(), None).await.unwrap().template;
    let elsewhere = NewLicense { site: Some(rome), ..hosts };
    assert_eq!(kind(create_license(service, &local, elsewhere.clone(), None).await), ProblemKind::NotFound);
    let theirs = create_license(service, &provider.admin, elsewhere, None).await.unwrap().template;
    let (view, _) = view_license(service, &local, None, LicenseKey::Template(mine)).await.unwrap();
    assert_eq!(view.site, Some(hamburg));
    assert_eq!(kind(view_license(service, &local, None, LicenseKey::Template(theirs)).await), ProblemKind::NotFound);
    assert_eq!(kind(assign_license(service, &local, theirs, Some(in_rome), None).await), ProblemKind::NotFound);
    assert_eq!(kind(assign_license(service, &local, mine, Some(in_rome), None).await), ProblemKind::NotFound);
    let seen = list_licenses(service, &local, None, LicenseFilter::default(), &first_page()).await.unwrap();
    assert_eq!(seen.items.iter().map(|view| view.template).collect::<Vec<_>>(), [mine]);
}

#[tokio::test]
async fn lists_narrow_page_and_name_states() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let (contoso, fabrikam) =
        (world.company(&provider, "Contoso AG").await, world.company(&provider, "Fabrikam").await);
    let mut ids = Vec::new();
    for n in 0..7 {
        world.advance_secs(1);
        let company = [Some(contoso), Some(fabrikam), None][n % 3];
        let input = NewLicense { company, automatic: n % 2 == 0, ..world.hosts(&provider).await };
        ids.push(create_license(service, &provider.admin, input, None).await.unwrap().template);
    }
    let list = async |filter: LicenseFilter| {
        let page = list_licenses(service, &provider.admin, None, filter, &first_page()).await.unwrap();
        page.items.iter().map(|view| ids.iter().position(|id| *id == view.template).unwrap()).collect::<Vec<_>>()
    };
    let any = LicenseFilter::default();
    assert_eq!(list(any).await, [6, 5, 4, 3, 2, 1, 0], "newest first");
    assert_eq!(list(LicenseFilter { company: Some(contoso), ..any }).await, [6, 3, 0]);
    assert_eq!(list(LicenseFilter { automatic: Some(false), ..any }).await, [5, 3, 1]);
    assert_eq!(list(LicenseFilter { state: Some(StateFilter::Template), ..any }).await, [5, 2]);
    let valid = LicenseFilter { state: Some(StateFilter::Valid), ..any };
    assert_eq!(list(valid).await, [6, 4, 3, 1, 0]);
    assert!(list(LicenseFilter { product: Some(world.product("monitoring", "Core").await), ..any }).await.is_empty());

    // Automatic ones end on 15 April, by hand ones in 2027.
    world.set("2026-03-17T00:00:00Z");
    assert_eq!(list(LicenseFilter { state: Some(StateFilter::Expiring), ..any }).await, [6, 4, 0]);
    world.set("2026-04-15T10:00:06Z");
    assert_eq!(list(LicenseFilter { state: Some(StateFilter::Expired), ..any }).await, [4, 0]);
    world.set("2026-06-14T10:00:07Z");
    assert_eq!(list(LicenseFilter { state: Some(StateFilter::Restricted), ..any }).await, [6, 4, 0]);
    assert_eq!(list(valid).await, [3, 1]);

    let (mut cursor, mut seen) = (None, Vec::new());
    for _ in 0..4 {
        let paging = Paging { cursor: cursor.take(), limit: Some(2) };
        let page = list_licenses(service, &provider.admin, None, any, &paging).await.unwrap();
        seen.extend(page.items.iter().map(|view| view.template));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(seen.into_iter().rev().collect::<Vec<_>>(), ids);
    let page = list_licenses(service, &provider.admin, None, any, &Paging { cursor: None, limit: Some(2) }).await;
    let stolen = Paging { cursor: page.unwrap().next, limit: Some(2) };
    let refused = list_licenses(service, &provider.admin, None, valid, &stolen).await;
    assert_eq!(kind(refused), ProblemKind::InvalidInput, "a cursor of other filters");
}
