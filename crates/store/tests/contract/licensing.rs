//! The rows of licenses: what each write promises, alike on both engines.

use std::collections::BTreeSet;

use serde_json::json;
use tenure_core::{
    Day, InstallationId, LicenseId, LicenseSerial, OrgId, TemplateId, reported::ReportedCause,
    reporting::AutomaticReporting,
};
use tenure_store::{
    Queue, StoreError, Tx, contract_tests,
    rows::{
        chain::{self, Beginning},
        deployment, extension,
        hosts_before::{self, HostsBefore},
        installation::{self, HeadParam, InstallationRow},
        issued_license::{self, IssuedKey, NewIssued},
        license,
        template::{self, Filter},
    },
    testing::TestStore,
};

use crate::market::{OTHER, PROVIDER, assigned, id, market, period, template_row, write};
use crate::support::second;

contract_tests! {
    a_template_has_one_assignment_at_a_time,
    x1_an_extension_is_granted_once_and_later_causes_are_appended,
    licenses_are_issued_forward_only,
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
    write(store, async move |tx| license::set_reporting(tx, &stored, second(4)).await).await;
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
    let head =
        move |n: u8| HeadParam { i: one.uuid().simple().to_string(), d: 20_500, h: format!("{n:02x}").repeat(32) };
    for n in 0..10 {
        write(store, async move |tx| installation::insert_heads(tx, &[head(n)]).await).await;
    }
    let mut read = store.read().await.expect("a snapshot");
    let day = Day::from_number(20_500);
    let heads = installation::heads(&mut read, one, day, day.plus(1)).await.expect("read");
    assert_eq!(heads.len(), 8, "a day has eight heads at most");
    drop(read);

    let moved = HostsBefore { hosts: vec![json!({ "name": "Żółć \"x\"" })], returns: vec![1, i64::MAX] };
    let kept = moved.clone();
    write(store, async move |tx| hosts_before::update(tx, provider, one, &kept).await).await;
    let mut read = store.read().await.expect("a snapshot");
    assert_eq!(hosts_before::find(&mut read, provider, one).await.expect("read"), moved);
    assert_eq!(hosts_before::find(&mut read, provider, two).await.expect("read"), HostsBefore::default());
    assert_eq!(hosts_before::find(&mut read, id(OTHER), one).await.expect("read"), HostsBefore::default());
    drop(read);

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
    let sign = async |envelope: &'static str, root| {
        write(store, async move |tx| issued_license::sign(tx, key, envelope, root).await).await
    };
    for version in [1, 2] {
        write(store, async move |tx| deployment::insert_root(tx, version, "{}").await).await;
    }
    assert!(!sign("by keys of before", 1).await, "there is a newer trust root");
    assert!(sign("first", 2).await);
    assert!(!sign("second", 2).await);
    let mut read = store.read().await.expect("a snapshot");
    let signed = issued_license::find(&mut read, key).await.expect("read").expect("it");
    assert_eq!(signed.envelope.as_deref(), Some("first"));
    assert_eq!(issued_license::unsigned(&mut read, provider, 10).await.expect("read").len(), 5);
}
