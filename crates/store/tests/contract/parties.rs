//! The rows of people and catalog: what each write promises, alike on both engines.

use tenure_core::{
    AgreementId, CompanyId, OrgId, Points, Policy, ProductId, SiteId, Timestamp, TokenId, UserId, Weight,
    roles::{OrgKind, Role},
};
use tenure_store::{
    contract_tests,
    rows::{
        agreement::{self},
        api_token::{self, TokenRow, TokenScope},
        company::{self, CompanyRow},
        enrollment::{self, EnrollmentRow, EnrollmentState},
        org::{self},
        person::{self, PersonRow},
        policy,
        product::{self},
        session::{self, SessionRow},
        site::{self, SiteRow},
    },
    testing::TestStore,
};

use crate::market::{OTHER, PROVIDER, id, market, period, terms, write};
use crate::support::second;

contract_tests! {
    parties_are_found_by_their_owner_only,
    people_and_sessions,
    tokens_and_enrollment,
    weights_hold_from_their_period_on,
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
                merged_into: None,
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
        second_step: None,
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
        console: None,
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
