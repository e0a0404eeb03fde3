//! The rows of people, catalog and licenses: what each write promises, alike on both engines.

use std::collections::BTreeSet;

use tenure_core::{
    AgreementId, AgreementKind, CompanyId, InstallationId, LicenseId, LicenseSerial, OrgId, Period, Points, Policy,
    ProductId, SiteId, TemplateId, Timestamp, TokenId, UsageType, UserId, Weight,
    reported::ReportedCause,
    reporting::AutomaticReporting,
    roles::{OrgKind, Role},
};
use tenure_store::{
    Queue, Store, StoreError, Tx, contract_tests,
    rows::{
        agreement::{self, AgreementRow},
        api_token::{self, TokenRow, TokenScope},
        chain::{self, Beginning},
        company::{self, CompanyRow},
        enrollment::{self, EnrollmentRow, EnrollmentState},
        extension,
        installation::{self, InstallationRow},
        issued_license::{self, IssuedKey, NewIssued},
        license,
        org::{self, OrgRow},
        person::{self, PersonRow},
        policy,
        product::{self, ProductRow, WorkloadRow},
        session::{self, SessionRow},
        site::{self, SiteRow},
        template::{self, Filter, TemplateRow, WorkloadCount},
    },
    testing::TestStore,
};
use uuid::Uuid;

use crate::support::second;

contract_tests! {
    parties_are_found_by_their_owner_only,
    people_and_sessions,
    tokens_and_enrollment,
    weights_hold_from_their_period_on,
    a_template_has_one_assignment_at_a_time,
    x1_an_extension_is_granted_once_and_later_causes_are_appended,
    licenses_are_issued_forward_only,
}

fn id<T: From<Uuid>>(n: u128) -> T {
    T::from(Uuid::from_u128(n))
}

fn period(text: &str) -> Period {
    text.parse().expect("a period")
}

async fn write<T: Send + 'static>(
    store: &Store,
    op: impl AsyncFn(&mut Tx) -> Result<T, StoreError> + Send + 'static,
) -> T {
    store.write(Queue::People, op).await.expect("it is written")
}

const PROVIDER: u128 = 0x10;
const OTHER: u128 = 0x11;

/// A vendor, two distributors, two providers, a product, an agreement each.
async fn market(store: &Store) {
    write(store, async |tx| {
        let orgs = [
            (1, OrgKind::Vendor, "Example Software"),
            (2, OrgKind::Distributor, "Lakeside"),
            (3, OrgKind::Distributor, "Lakeside"),
            (PROVIDER, OrgKind::Provider, "Żółć \"Hosting\""),
            (OTHER, OrgKind::Provider, "Żółć \"Hosting\""),
        ];
        for (n, kind, name) in orgs {
            org::insert(tx, &OrgRow { id: id(n), kind, name: name.to_owned(), created: second(0), disabled: None })
                .await?;
        }
        for (n, distributor, provider) in [(0x20, 2, PROVIDER), (0x21, 3, OTHER)] {
            agreement::insert(tx, &terms(n, distributor, provider)).await?;
        }
        let row = ProductRow {
            id: id(0x30),
            code: "backup".to_owned(),
            name: "Backup".to_owned(),
            edition: "Enterprise".to_owned(),
            version: "12".to_owned(),
            reports: true,
            withdrawn: None,
        };
        let workload = |variant: &str| WorkloadRow {
            product: id(0x30),
            code: "vm".to_owned(),
            variant: variant.to_owned(),
            name: "VM".to_owned(),
            unit: "machine".to_owned(),
        };
        product::insert(tx, &row, &[workload(""), workload("app")]).await
    })
    .await;
}

fn terms(n: u128, distributor: u128, provider: u128) -> AgreementRow {
    AgreementRow {
        provider: id(provider),
        id: id(n),
        distributor: id(distributor),
        number: "RA-1".to_owned(),
        kind: AgreementKind::Volume,
        commit: Points::whole(200),
        limit: (provider == OTHER).then(|| Points::whole(2000)),
        purchase_order: "PO-1".to_owned(),
        signed: second(0),
        ends: second(1_000_000),
        terminated: None,
    }
}

fn template_row(provider: u128, n: u128) -> TemplateRow {
    TemplateRow {
        provider: id(provider),
        id: id(n),
        agreement: id(if provider == PROVIDER { 0x20 } else { 0x21 }),
        product: id(0x30),
        site: None,
        usage_type: UsageType::SingleCustomer,
        description: "Ein \"Schlüssel\"".to_owned(),
        workloads: vec![WorkloadCount { workload: "vm".to_owned(), variant: String::new(), count: 12 }],
        automatic: true,
        expires: None,
        license: None,
        created: second(1),
    }
}

/// A license of a template of its own.
async fn assigned(tx: &mut Tx, provider: u128, n: u128) -> Result<license::LicenseRow, StoreError> {
    let template = template_row(provider, n + 0x1000);
    template::insert(tx, &template).await?;
    let mut row = template::assignment(&template, id(n), None, second(2));
    row.reporting = AutomaticReporting::On;
    row.anchor = Some(second(2));
    license::insert(tx, &row).await?;
    template::assign(tx, row.provider, template.id, row.id).await?;
    Ok(row)
}

async fn parties_are_found_by_their_owner_only(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let (provider, other): (OrgId, OrgId) = (id(PROVIDER), id(OTHER));
    write(store, async move |tx| {
        site::insert(tx, &SiteRow { provider, id: id(0x40), name: "Hamburg".to_owned(), closed: None }).await?;
        for (owner, n, site) in [(provider, 0x50, None), (provider, 0x51, Some(id(0x40))), (other, 0x52, None)] {
            let row = CompanyRow {
                provider: owner,
                id: id(n),
                site,
                name: "Contoso AG".to_owned(),
                created: second(0),
                kind: company::CompanyKind::Customer,
                reseller: None,
                closed: None,
            };
            company::insert(tx, &row).await?;
        }
        Ok(())
    })
    .await;
    let mut read = store.read().await.expect("a snapshot");
    let found = org::find(&mut read, provider).await.expect("read").expect("the provider");
    assert_eq!((found.name.as_str(), found.kind), ("Żółć \"Hosting\"", OrgKind::Provider));
    let providers = org::of_kind(&mut read, OrgKind::Provider, Some(provider), 10).await.expect("read");
    assert_eq!(providers.iter().map(|row| row.id).collect::<Vec<_>>(), [other]);
    let first: CompanyId = id(0x50);
    assert!(company::find(&mut read, provider, first).await.expect("read").is_some());
    assert!(company::find(&mut read, other, first).await.expect("read").is_none());
    let ids = async |read: &mut tenure_store::Read, owner, site, after: Option<CompanyId>, limit| {
        let rows = company::page(read, owner, &company::Filter { site, ..company::Filter::default() }, after, limit)
            .await
            .expect("read");
        rows.iter().map(|row| row.id.uuid().as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&mut read, provider, None, None, 10).await, [0x50, 0x51]);
    assert_eq!(ids(&mut read, provider, None, Some(first), 10).await, [0x51]);
    assert_eq!(ids(&mut read, provider, None, None, 1).await, [0x50]);
    assert_eq!(ids(&mut read, provider, Some(id::<SiteId>(0x40)), None, 10).await, [0x51]);
    let named = company::names(&mut read, provider, &[first, id(0x52), id(0x99)]).await.expect("read");
    assert_eq!(named, [(first, "Contoso AG".to_owned())], "the other provider's is none of ours");
    assert!(site::find(&mut read, other, id(0x40)).await.expect("read").is_none());
    assert_eq!(site::of_provider(&mut read, provider).await.expect("read").len(), 1);

    assert_eq!(agreement::of_provider(&mut read, provider).await.expect("read"), [terms(0x20, 2, PROVIDER)]);
    assert_eq!(
        agreement::find(&mut read, other, id(0x21)).await.expect("read").expect("it").limit,
        Some(Points::whole(2000))
    );
    assert!(agreement::find(&mut read, other, id(0x20)).await.expect("read").is_none());
    assert!(agreement::serves(&mut read, id(2), provider).await.expect("read"));
    assert!(!agreement::serves(&mut read, id(3), provider).await.expect("read"));
    for (who, expected) in [
        ((None, None), vec![0x20, 0x21]),
        ((Some(other), None), vec![0x21]),
        ((None, Some(id(2))), vec![0x20]),
        ((Some(other), Some(id(2))), vec![]),
    ] {
        let rows = agreement::page(&mut read, who.0, who.1, None::<AgreementId>, 10).await.expect("read");
        assert_eq!(rows.iter().map(|row| row.id.uuid().as_u128()).collect::<Vec<_>>(), expected, "{who:?}");
    }
}

async fn people_and_sessions(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let ann = PersonRow {
        id: id(0x60),
        org: id(PROVIDER),
        site: None,
        email: "ann@example.org".to_owned(),
        name: "Ann".to_owned(),
        role: Role::ProviderPrimary,
        password_hash: "$argon2id$x".to_owned(),
        failures: 0,
        locked_until: Timestamp::EPOCH,
        disabled: None,
    };
    let (first, twin) = (ann.clone(), PersonRow { id: id(0x61), org: id(OTHER), ..ann.clone() });
    assert!(write(store, async move |tx| person::insert(tx, &first).await).await);
    assert!(!write(store, async move |tx| person::insert(tx, &twin).await).await, "the address is taken");
    let user: UserId = ann.id;
    for n in 1..=2 {
        assert_eq!(write(store, async move |tx| person::failed(tx, user).await).await, n);
    }
    write(store, async move |tx| person::lock_until(tx, user, second(60)).await).await;
    let mut read = store.peek().await.expect("a reader");
    let found = person::find_by_email(&mut read, "ann@example.org").await.expect("read").expect("Ann");
    assert_eq!((found.failures, found.locked_until, found.role), (2, second(60), Role::ProviderPrimary));
    drop(read);
    write(store, async move |tx| person::succeeded(tx, user).await).await;
    let mut read = store.peek().await.expect("a reader");
    assert_eq!(person::find(&mut read, user).await.expect("read"), Some(ann));
    assert_eq!(person::of_org(&mut read, id(OTHER)).await.expect("read"), []);
    drop(read);

    let session = move |n: u8, seen: i64| SessionRow {
        token_hash: [n; 32],
        person: user,
        created: second(0),
        seen: second(seen),
        expires: second(1000),
        refresh_hash: (n == 3).then_some([9; 32]),
        read_only: n == 3,
    };
    write(store, async move |tx| {
        for (n, seen) in [(1, 0), (2, 500), (3, 900)] {
            session::insert(tx, &session(n, seen)).await?;
        }
        Ok(())
    })
    .await;
    assert!(write(store, async |tx| session::seen(tx, &[2; 32], second(600)).await).await);
    assert!(!write(store, async |tx| session::seen(tx, &[2; 32], second(600)).await).await, "only forward");
    assert_eq!(write(store, async |tx| session::purge(tx, second(950), second(100), 10).await).await, 1, "idle");
    assert!(write(store, async |tx| session::delete(tx, &[2; 32]).await).await);
    let mut read = store.peek().await.expect("a reader");
    assert_eq!(session::find(&mut read, &[3; 32]).await.expect("read"), Some(session(3, 900)));
    assert_eq!(session::find(&mut read, &[1; 32]).await.expect("read"), None);
    assert_eq!(session::find_by_refresh(&mut read, &[9; 32]).await.expect("read"), Some(session(3, 900)));
    drop(read);
    assert_eq!(write(store, async move |tx| session::delete_of_person(tx, user).await).await, 1);
}

async fn tokens_and_enrollment(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let row = TokenRow {
        token_hash: [7; 32],
        id: id(0x70),
        org: id(PROVIDER),
        org_kind: OrgKind::Provider,
        org_disabled: None,
        site: Some(id(0x40)),
        name: "script".to_owned(),
        scope: TokenScope::Report,
        created_by: None,
        created: second(0),
        expires: second(100),
        used: None,
        revoked: None,
    };
    let stored = row.clone();
    write(store, async move |tx| api_token::insert(tx, &stored).await).await;
    assert!(write(store, async |tx| api_token::used(tx, &[7; 32], second(5)).await).await);
    assert!(!write(store, async |tx| api_token::used(tx, &[7; 32], second(4)).await).await, "only forward");
    let token: TokenId = row.id;
    assert!(!write(store, async move |tx| api_token::revoke(tx, id(OTHER), token, second(6)).await).await);
    assert!(write(store, async move |tx| api_token::revoke(tx, id(PROVIDER), token, second(6)).await).await);
    assert!(!write(store, async move |tx| api_token::revoke(tx, id(PROVIDER), token, second(7)).await).await);
    let mut read = store.peek().await.expect("a reader");
    let found = api_token::find(&mut read, &[7; 32]).await.expect("read");
    assert_eq!(found, Some(TokenRow { used: Some(second(5)), revoked: Some(second(6)), ..row }));
    drop(read);

    let put = async |state, reason: &'static str, at| {
        write(store, async move |tx| {
            let row = EnrollmentRow { provider: id(PROVIDER), state, reason: reason.to_owned(), changed: second(at) };
            enrollment::put(tx, &row).await
        })
        .await;
    };
    put(EnrollmentState::Requested, "", 1).await;
    let mut read = store.read().await.expect("a snapshot");
    let open = enrollment::in_state(&mut read, EnrollmentState::Requested, None, 10).await.expect("read");
    assert_eq!(open.len(), 1);
    drop(read);
    put(EnrollmentState::Declined, "no agent", 2).await;
    let locked = write(store, async |tx| enrollment::lock(tx, id(PROVIDER)).await).await.expect("it");
    assert_eq!(
        (locked.state, locked.reason.as_str(), locked.changed),
        (EnrollmentState::Declined, "no agent", second(2))
    );
    let mut read = store.read().await.expect("a snapshot");
    assert_eq!(enrollment::find(&mut read, id(OTHER)).await.expect("read"), None);
    assert!(enrollment::in_state(&mut read, EnrollmentState::Requested, None, 10).await.expect("read").is_empty());
}

async fn weights_hold_from_their_period_on(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let product: ProductId = id(0x30);
    let weight = |text: &str| text.parse::<Weight>().expect("a weight");
    write(store, async move |tx| {
        let weights = [
            ("vm", "", period("2026-01"), weight("11")),
            ("vm", "", period("2026-04"), weight("11.5")),
            ("vm", "app", period("2026-01"), weight("13")),
        ];
        product::put_weights(tx, product, &weights).await?;
        // Put again, it is another weight of the same period.
        product::put_weights(tx, product, &[("vm", "app", period("2026-01"), weight("13.25"))]).await?;
        policy::put(tx, period("2026-01"), &Policy::default()).await?;
        policy::put(tx, period("2026-03"), &Policy { grace_days: 90, ..Policy::default() }).await
    })
    .await;
    let mut read = store.read().await.expect("a snapshot");
    for (month, expected) in [("2025-12", vec![]), ("2026-03", vec!["11", "13.25"]), ("2026-04", vec!["11.5", "13.25"])]
    {
        let weights = product::weights(&mut read, product, period(month)).await.expect("read");
        assert_eq!(weights.values().map(ToString::to_string).collect::<Vec<_>>(), expected, "{month}");
        let all = product::all_weights(&mut read, period(month)).await.expect("read");
        assert_eq!(all.get(&product).cloned().unwrap_or_default(), weights, "{month}");
    }
    assert_eq!(product::workloads(&mut read, product).await.expect("read").len(), 2);
    assert_eq!(product::all_workloads(&mut read).await.expect("read").len(), 2);
    assert_eq!(product::all(&mut read).await.expect("read").len(), 1);
    let found = product::find_by_code(&mut read, "backup", "Enterprise").await.expect("read");
    assert_eq!(found, product::find(&mut read, product).await.expect("read"));
    assert!(product::find_by_code(&mut read, "backup", "Standard").await.expect("read").is_none());
    let grace = async |read: &mut tenure_store::Read, month| {
        policy::in_force(read, period(month)).await.expect("read").map(|policy| policy.grace_days)
    };
    assert_eq!(grace(&mut read, "2025-12").await, None);
    assert_eq!(grace(&mut read, "2026-02").await, Some(60));
    assert_eq!(grace(&mut read, "2026-09").await, Some(90));
    assert_eq!(policy::all(&mut read).await.expect("read").len(), 2);
}

async fn a_template_has_one_assignment_at_a_time(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let (provider, template): (OrgId, TemplateId) = (id(PROVIDER), id(0x80));
    write(store, async move |tx| {
        template::insert(tx, &template_row(PROVIDER, 0x80)).await?;
        template::insert(tx, &template_row(PROVIDER, 0x81)).await?;
        template::insert(tx, &template_row(OTHER, 0x82)).await
    })
    .await;
    let mut read = store.read().await.expect("a snapshot");
    assert_eq!(template::find(&mut read, provider, template).await.expect("read"), Some(template_row(PROVIDER, 0x80)));
    assert_eq!(template::find(&mut read, id(OTHER), template).await.expect("read"), None);
    drop(read);
    assert!(write(store, async move |tx| template::set_automatic(tx, provider, template, false).await).await);
    let assign = async |license: LicenseId| {
        write(store, async move |tx| {
            let row = template::lock(tx, provider, template).await?.expect("the template");
            if row.license.is_none() {
                license::insert(tx, &template::assignment(&row, license, Some(id(0x50)), second(3))).await?;
            }
            template::assign(tx, provider, template, license).await
        })
        .await
    };
    assert!(assign(id(0x90)).await);
    assert!(!assign(id(0x91)).await);
    assert!(!write(store, async move |tx| template::set_automatic(tx, provider, template, true).await).await);
    let mut read = store.read().await.expect("a snapshot");
    let filtered = async |read: &mut tenure_store::Read, filter, after: Option<TemplateId>| {
        let rows = template::page(read, provider, filter, after, 10).await.expect("read");
        rows.iter().map(|row| row.id.uuid().as_u128()).collect::<Vec<_>>()
    };
    let any = Filter::default();
    assert_eq!(filtered(&mut read, any, None).await, [0x81, 0x80], "newest first");
    assert_eq!(filtered(&mut read, any, Some(id(0x81))).await, [0x80]);
    assert_eq!(filtered(&mut read, Filter { company: Some(id(0x50)), ..any }, None).await, [0x80]);
    assert_eq!(filtered(&mut read, Filter { product: Some(id(0x31)), ..any }, None).await, Vec::<u128>::new());
    assert_eq!(filtered(&mut read, Filter { site: Some(id(0x40)), ..any }, None).await, Vec::<u128>::new());
    drop(read);

    let row = write(store, async move |tx| license::lock(tx, provider, id(0x90)).await).await.expect("the license");
    assert_eq!((row.company, row.reporting, row.issued.serial), (Some(id(0x50)), AutomaticReporting::Off, 0));
    let switched = license::LicenseRow {
        reporting: AutomaticReporting::SwitchingToOn,
        anchor: Some(second(9)),
        expires: Some(second(99)),
        switched_with: LicenseSerial { epoch: 1, serial: 4 },
        ..row
    };
    let stored = switched.clone();
    write(store, async move |tx| license::set_reporting(tx, &stored).await).await;
    let mut read = store.read().await.expect("a snapshot");
    assert_eq!(license::find(&mut read, provider, id(0x90)).await.expect("read"), Some(switched));
    assert_eq!(license::find(&mut read, id(OTHER), id(0x90)).await.expect("read"), None);
    assert_eq!(license::find_many(&mut read, provider, &[id(0x90), id(0x99)]).await.expect("read").len(), 1);
    assert_eq!(license::of_provider(&mut read, provider, None, 10).await.expect("read").len(), 1);
    assert!(license::of_provider(&mut read, provider, Some(id(0x90)), 10).await.expect("read").is_empty());
    drop(read);
    let complete = async |from, to| {
        write(store, async move |tx| license::complete_switch(tx, provider, id(0x90), from, to).await).await
    };
    assert!(!complete(AutomaticReporting::SwitchingToOff, AutomaticReporting::Off).await, "it is another switch");
    assert!(complete(AutomaticReporting::SwitchingToOn, AutomaticReporting::On).await);
    assert!(!complete(AutomaticReporting::SwitchingToOn, AutomaticReporting::On).await);
}

async fn x1_an_extension_is_granted_once_and_later_causes_are_appended(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let provider: OrgId = id(PROVIDER);
    let grant = async |licenses: Vec<LicenseId>, month: &'static str, cause| {
        write(store, async move |tx| extension::grant(tx, provider, &licenses, period(month), cause, second(5)).await)
            .await
    };
    let (a, b, c): (LicenseId, LicenseId, LicenseId) = (id(0xa0), id(0xa1), id(0xa2));
    write(store, async |tx| {
        for (owner, n) in [(PROVIDER, 0xa0), (PROVIDER, 0xa1), (PROVIDER, 0xa2), (OTHER, 0xa3)] {
            assigned(tx, owner, n).await?;
        }
        Ok(())
    })
    .await;
    assert_eq!(grant(vec![b, a, b], "2026-01", ReportedCause::ProductReports).await, [a, b]);
    assert!(grant(vec![id(0xa3), id(0xaf)], "2026-01", ReportedCause::Closing).await.is_empty(), "none of ours");
    assert_eq!(grant(vec![c, a], "2026-01", ReportedCause::Submission).await, [c]);
    for _ in 0..2 {
        assert!(grant(vec![a], "2026-01", ReportedCause::Closing).await.is_empty());
        assert!(grant(vec![a], "2026-01", ReportedCause::ProductReports).await.is_empty());
    }
    assert_eq!(grant(vec![a], "2026-02", ReportedCause::Closing).await, [a]);
    assert!(grant(vec![], "2026-02", ReportedCause::Closing).await.is_empty());
    let mut read = store.read().await.expect("a snapshot");
    let all = extension::of_licenses(&mut read, provider, &[a, c, id(0xaf)]).await.expect("read");
    assert_eq!(all.get(&a), Some(&BTreeSet::from([period("2026-01"), period("2026-02")])));
    assert_eq!(all.len(), 2);
    let of_a = extension::of_license(&mut read, provider, a).await.expect("read");
    assert_eq!(
        of_a.iter().map(|row| row.cause).collect::<Vec<_>>(),
        [ReportedCause::ProductReports, ReportedCause::Closing],
        "the first cause stays"
    );
    assert_eq!(
        of_a[0].later,
        [ReportedCause::Submission, ReportedCause::Closing],
        "later ones are appended, once each"
    );
    assert_eq!(of_a[1].later, []);
    assert!(extension::of_licenses(&mut read, id(OTHER), &[a]).await.expect("read").is_empty());
}

async fn licenses_are_issued_forward_only(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let provider: OrgId = id(PROVIDER);
    let (mine, shared): (LicenseId, LicenseId) = (id(0xb0), id(0xb1));
    let (one, two, gone): (InstallationId, InstallationId, InstallationId) = (id(0xc0), id(0xc1), id(0xc2));
    write(store, async move |tx| {
        assigned(tx, PROVIDER, 0xb0).await?;
        assigned(tx, PROVIDER, 0xb1).await?;
        for (installation, license) in [(one, mine), (two, shared), (gone, shared)] {
            let row = InstallationRow {
                provider,
                id: installation,
                license,
                name: "host".to_owned(),
                host: "{}".to_owned(),
                product_version: "12".to_owned(),
                agent_version: "0.1".to_owned(),
                auto_update: true,
                activated: second(3),
                replaces: None,
                retired: None,
                retired_how: None,
            };
            installation::insert(tx, &row).await?;
            let beginning = Beginning {
                installation,
                provider,
                key_id: [installation.uuid().as_bytes()[15]; 32],
                epoch: 1,
                head: [0; 32],
                req: [0; 32],
                answer: b"{}",
                now: second(3),
                license,
                contract_ends: second(100),
            };
            chain::begin(tx, &beginning).await?;
        }
        installation::retire(tx, provider, gone, second(4), "retired").await?;
        Ok(())
    })
    .await;
    let active = write(store, async move |tx| issued_license::lock_active(tx, provider, &[shared, mine]).await).await;
    let of: Vec<_> = active.iter().map(|row| (row.installation, row.license, row.key_id[0])).collect();
    assert_eq!(of, [(one, mine, 0xc0), (two, shared, 0xc1)], "in id order, without the retired one");
    let mut read = store.read().await.expect("a snapshot");
    let counts = license::active_installations(&mut read, provider, &[mine, shared, id(0xbf)]).await.expect("read");
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [(mine, 1), (shared, 1)]);
    drop(read);

    let issue = async |epoch: u64, serial: u64| {
        let row = move |license, installation| NewIssued {
            license,
            installation,
            serial,
            hash: [serial as u8; 32],
            payload: format!("{{\"serial\":{serial},\"name\":\"Żółć \\u0000 \\\"x\\\"\"}}"),
            expires: second(50),
            contract_ends: second(200),
        };
        let write = async move |tx: &mut Tx| {
            issued_license::insert_many(tx, provider, epoch, second(7), &[row(mine, one), row(shared, two)]).await?;
            license::set_serials(tx, provider, epoch, &[(mine, serial), (shared, serial)]).await
        };
        store.write::<_, StoreError, _>(Queue::Jobs, write).await
    };
    issue(1, 1).await.expect("the first");
    issue(1, 2).await.expect("the next");
    assert!(matches!(issue(1, 2).await, Err(StoreError::Unique { .. })), "a serial is given once");
    assert!(matches!(issue(0, 3).await, Err(StoreError::Affected { .. })), "an epoch never falls");
    issue(2, 3).await.expect("another epoch");
    let mut read = store.read().await.expect("a snapshot");
    let head = chain::find(&mut read, one).await.expect("read").expect("its chain");
    assert_eq!((head.issued, head.license_hash, head.license_expires), ((2, 3), [3; 32], second(50)));
    assert_eq!(head.contract_ends, second(200));
    let row = license::find(&mut read, provider, shared).await.expect("read").expect("the license");
    assert_eq!(row.issued, LicenseSerial { epoch: 2, serial: 3 });
    let newest = issued_license::newest(&mut read, provider, mine, one).await.expect("read").expect("issued");
    assert_eq!((newest.epoch, newest.serial, newest.envelope), (2, 3, None));
    assert_eq!(newest.payload, "{\"serial\":3,\"name\":\"Żółć \\u0000 \\\"x\\\"\"}".as_bytes(), "byte for byte");
    let key = IssuedKey { provider, license: mine, installation: one, epoch: 1, serial: 2 };
    assert_eq!(issued_license::find(&mut read, key).await.expect("read").expect("it").hash, [2; 32]);
    let foreign = IssuedKey { provider: id(OTHER), ..key };
    assert_eq!(issued_license::find(&mut read, foreign).await.expect("read"), None);
    assert_eq!(issued_license::unsigned(&mut read, provider, 10).await.expect("read").len(), 6);
    drop(read);
    assert!(write(store, async move |tx| issued_license::sign(tx, key, "first").await).await);
    assert!(!write(store, async move |tx| issued_license::sign(tx, key, "second").await).await);
    let mut read = store.read().await.expect("a snapshot");
    let signed = issued_license::find(&mut read, key).await.expect("read").expect("it");
    assert_eq!(signed.envelope.as_deref(), Some("first"));
    assert_eq!(issued_license::unsigned(&mut read, provider, 10).await.expect("read").len(), 5);
}
