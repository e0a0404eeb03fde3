//! What a license earns and what ends it: reported months, suspension, usage that nobody answered, the agreement's end.

use tenure_core::{AgreementKind, Points, cycle::UsageState, reporting::ToggleRefusal, roles::OrgKind};
use tenure_license::LicenseFile;
use tenure_service::{
    Because, Idempotency, LicenseFilter, LicenseKey, NewLicense, ProblemKind, assign_license, create_license,
    download_license, expiry_text, list_licenses, switch_reporting, view_license,
};
use tenure_store::{
    Queue, StoreError,
    rows::{extension, monthly_usage},
};

use crate::support::{World, at, first_page, kind, terms, workload};

#[tokio::test]
async fn reported_months_count_while_they_are_contiguous() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, true).await;
    let key = LicenseKey::License(license);
    let report = async |period: &str| {
        let (org, period) = (provider.org, period.parse().expect("a period"));
        let cause = tenure_core::reported::ReportedCause::Submission;
        let grant = async move |tx: &mut tenure_store::Tx| {
            extension::grant(tx, org, &[license], period, cause, at("2026-04-01T00:00:00Z")).await
        };
        service.store().write::<_, StoreError, _>(Queue::Jobs, grant).await.unwrap();
    };
    world.set("2026-04-01T00:00:00Z");
    report("2026-01").await;
    report("2026-03").await;
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    let life = view.life.clone().unwrap();
    assert_eq!(life.expires, at("2026-05-15T10:00:00Z"), "March waits for February");
    assert!(expiry_text(&view).contains("2026-02 is missing"), "{}", expiry_text(&view));
    let months: Vec<String> =
        life.months.iter().map(|month| format!("{} {} {}", month.period, month.is_reported, month.is_open)).collect();
    assert_eq!(months, ["2026-01 true false", "2026-02 false false", "2026-03 true false", "2026-04 false true"]);
    report("2026-02").await;
    report("2026-02").await;
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    let life = view.life.unwrap();
    assert_eq!(life.expires, at("2026-07-15T10:00:00Z"), "filling the gap catches up");
    assert!(matches!(life.because, Because::Reported { count: 3, gap: None, .. }), "{:?}", life.because);
}

#[tokio::test]
async fn creating_twice_with_one_key_creates_once() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let key = |request: u8| Some(Idempotency::new("create-1", [request; 32]).unwrap());
    let input = world.hosts(&provider).await;
    let once = create_license(service, &provider.admin, input.clone(), key(1)).await.unwrap();
    assert_eq!(create_license(service, &provider.admin, input, key(1)).await.unwrap(), once);
    // The same key names another operation too: it is unique within each.
    let license = assign_license(service, &provider.admin, once.template, Some(company), key(2)).await.unwrap();
    assert_eq!(assign_license(service, &provider.admin, once.template, Some(company), key(2)).await.unwrap(), license);
    let mismatch = assign_license(service, &provider.admin, once.template, Some(company), key(3)).await;
    assert_eq!(kind(mismatch), ProblemKind::IdempotencyMismatch);
    let seen = list_licenses(service, &provider.admin, None, LicenseFilter::default(), &first_page()).await.unwrap();
    assert_eq!(seen.items.len(), 1);
}

#[tokio::test]
async fn two_who_assign_at_once_make_one_license() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let company = world.company(&provider, "Contoso AG").await;
    let template = create_license(service, &provider.admin, world.hosts(&provider).await, None).await.unwrap().template;
    let assign = || assign_license(service, &provider.admin, template, Some(company), None);
    let (a, b, c) = tokio::join!(assign(), assign(), assign());
    let (won, lost): (Vec<_>, Vec<_>) = [a, b, c].into_iter().partition(Result::is_ok);
    assert_eq!((won.len(), lost.len()), (1, 2));
    for refused in lost {
        assert_eq!(kind(refused), ProblemKind::AlreadyAssigned);
    }
}

#[tokio::test]
async fn suspended_providers_grow_no_more_but_go_on() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let hosts = world.hosts(&provider).await;
    let template = create_license(service, &provider.admin, hosts.clone(), None).await.unwrap().template;
    let license = world.assigned(&provider, company, true).await;
    // January and February both past the deadline and not submitted.
    world.set("2026-03-20T00:00:00Z");
    let key = LicenseKey::License(license);
    assert_eq!(kind(create_license(service, &provider.admin, hosts.clone(), None).await), ProblemKind::Suspended);
    assert_eq!(
        kind(assign_license(service, &provider.admin, template, Some(company), None).await),
        ProblemKind::Suspended
    );
    assert_eq!(kind(switch_reporting(service, &provider.admin, key, false, None).await), ProblemKind::Suspended);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(view.toggle_refusal, Some(ToggleRefusal::Suspended));
    assert!(download_license(service, &provider.admin, key, None).await.is_ok(), "downloads go on");
    submitted(&world, &provider, "2026-02").await;
    create_license(service, &provider.admin, hosts, None).await.expect("submitting one lifts it");
}

/// Puts a submitted month in place, as submitting it would.
async fn submitted(world: &World, provider: &crate::support::Provider, period: &str) {
    let period: tenure_core::Period = period.parse().expect("a period");
    let now = world.service.now();
    let row = monthly_usage::UsageRow {
        provider: provider.org,
        period,
        id: tenure_core::UsageId::generate(now, &*world.rng),
        agreement: provider.agreement,
        distributor: provider.org,
        state: UsageState::Collecting,
        opened: now,
        submitted: None,
        submitted_by: None,
        submissions: 0,
        decided: None,
        decided_by: None,
        reason: String::new(),
        closed: None,
        purchase_order: String::new(),
        comment: String::new(),
        auto_submit: false,
        due: period.deadline(5),
        vendor: None,
        vendor_by: None,
        approved: None,
        approved_by: None,
        presumed: None,
        changed: now,
    };
    let write = async move |tx: &mut tenure_store::Tx| {
        monthly_usage::open(tx, &row).await?;
        let submitted = monthly_usage::UsageRow {
            state: UsageState::PendingDistributorReview,
            submitted: Some(now),
            submissions: 1,
            ..row.clone()
        };
        monthly_usage::update(tx, &submitted).await
    };
    world.service.store().write::<_, StoreError, _>(Queue::People, write).await.expect("it is written");
}

#[tokio::test]
async fn old_usage_that_nobody_answered_blocks_the_same_company_and_product() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    let (owing, clean) = (world.company(&provider, "Contoso AG").await, world.company(&provider, "Contoso AG").await);
    let license = world.assigned(&provider, owing, false).await;
    // A server that was activated in January owes January.
    world.activate(&provider, license, "h1").await;
    for (now, period) in [("2026-03-31T23:00:00Z", "2026-02"), ("2026-04-10T00:00:00Z", "2026-03")] {
        world.set(now);
        submitted(&world, &provider, period).await;
    }
    let make = async |company, product| {
        let workloads = if product == "host" { workload("host", "", 1) } else { workload("user", "", 1) };
        let code = if product == "host" { ("file-backup", "Core") } else { ("mail-backup", "Cloud") };
        let input = NewLicense {
            company,
            product: world.product(code.0, code.1).await,
            workloads: vec![workloads],
            ..world.hosts(&provider).await
        };
        create_license(service, &provider.admin, input, None).await
    };
    world.set("2026-03-31T23:59:59Z");
    assert!(make(Some(owing), "host").await.is_ok(), "two periods old does not block");
    world.set("2026-04-10T00:00:00Z");
    assert_eq!(kind(make(Some(owing), "host").await), ProblemKind::ObligationOpen);
    assert!(make(Some(owing), "user").await.is_ok(), "another product");
    assert!(make(Some(clean), "host").await.is_ok(), "another company of the same name");
    let template = make(None, "host").await.expect("a template is no license").template;
    let assigned = assign_license(service, &provider.admin, template, Some(owing), None).await;
    assert_eq!(kind(assigned), ProblemKind::ObligationOpen);
    assign_license(service, &provider.admin, template, Some(clean), None).await.unwrap();
}

#[tokio::test]
async fn an_activation_license_works_once_and_a_servers_license_is_bound() {
    let world = World::at("2026-01-31T10:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::Volume).await;
    world.enroll(&provider).await;
    let company = world.company(&provider, "Contoso AG").await;
    let license = world.assigned(&provider, company, true).await;
    let key = LicenseKey::License(license);
    let file = download_license(service, &provider.admin, key, None).await.unwrap();
    assert_eq!(file.file_name, "file-backup-activation.lic");
    let (code, until) = file.activation.clone().unwrap();
    assert_eq!(until, at("2026-02-03T10:00:00Z"));
    let envelope = LicenseFile::parse(&file.content).unwrap();
    let unbound = service.root().verify_license(&envelope).unwrap().into_inner();
    assert!(unbound.installation.is_none());
    assert_eq!(unbound.activation.as_ref().map(|grant| grant.code.clone()), Some(code.clone()));
    assert_eq!((unbound.points, unbound.expires_at), (Points::whole(54), at("2026-04-15T10:00:00Z").as_secs()));
    assert_eq!(unbound.company.map(|company| company.name), Some("Contoso AG".to_owned()));

    let product = world.activate(&provider, license, "backup/01 über").await;
    assert_eq!((product.held.epoch, product.held.serial), (1, 1));
    let binding = product.license.installation.clone().expect("bound");
    assert_eq!(binding.id, product.ins);
    assert!(product.license.activation.is_none() && product.license.automatic_reporting);
    let bound = download_license(service, &provider.admin, key, Some(product.ins)).await.unwrap();
    assert_eq!((bound.file_name.as_str(), bound.activation), ("file-backup-backup-01--ber.lic", None));
    let again = service.root().verify_license(&LicenseFile::parse(&bound.content).unwrap()).unwrap();
    assert_eq!(again.hash, product.held.hash, "the same license, signed once");
    let (view, servers) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!((view.active_installations, servers.len()), (1, 1));
    assert_eq!(servers[0].name, "backup/01 über");

    // Another license's server is none of this one's.
    let second = world.assigned(&provider, company, true).await;
    let wrong = download_license(service, &provider.admin, LicenseKey::License(second), Some(product.ins)).await;
    assert_eq!(kind(wrong), ProblemKind::NotFound);
}

#[tokio::test]
async fn an_agreements_end_bounds_what_is_earned() {
    let world = World::at("2026-01-10T09:00:00Z").await;
    let service = &world.service;
    let provider = world.provider("Northlight Hosting", AgreementKind::NoCommit).await;
    let company = world.company(&provider, "Contoso AG").await;
    let distributor = world.organization(OrgKind::Distributor, "Lakeside Distribution").await;
    let short = tenure_service::NewAgreement {
        ends: at("2026-03-01T00:00:00Z"),
        ..terms(distributor, provider.org, AgreementKind::NoCommit, service)
    };
    let agreement = tenure_service::create_agreement(service, &world.vendor, short, None).await.unwrap().id;
    let input = NewLicense { agreement, company: Some(company), ..world.hosts(&provider).await };
    let created = create_license(service, &provider.admin, input, None).await.unwrap();
    let key = LicenseKey::Template(created.template);
    let (view, _) = view_license(service, &provider.admin, None, key).await.unwrap();
    assert_eq!(view.life.as_ref().map(|life| life.expires), Some(at("2026-03-01T00:00:00Z")));
    assert!(expiry_text(&view).ends_with("The rental agreement ends first."));
}
