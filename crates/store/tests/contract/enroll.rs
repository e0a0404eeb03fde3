//! Enroll tokens and applicants: what each write promises, alike on both engines.

use tenure_core::{ApplicantId, EnrollTokenId, LicenseId, OrgId, enroll::Standing};
use tenure_store::{
    Queue, StoreError, Tx, contract_tests,
    rows::{
        enroll::{self, ApplicantRow, EnrollTokenRow},
        installation::{self, NewCode},
    },
    testing::TestStore,
};

use crate::{
    market::{OTHER, PROVIDER, id, market, write},
    support::second,
};

contract_tests! {
    a3_a_token_counts_its_servers_and_ends,
    a3_an_applicant_is_decided_on_once,
}

fn token(n: u128) -> EnrollTokenRow {
    EnrollTokenRow {
        token_hash: [u8::try_from(n).expect("small"); 32],
        id: id(n),
        provider: id(PROVIDER),
        license: id(0x90),
        name: "Żółć \"fleet\"".to_owned(),
        cap: 2,
        used: 0,
        license_limit: 0,
        networks: vec!["10.0.0.0/8".parse().expect("a network"), "::1".parse().expect("a network")],
        created_by: None,
        created: second(1),
        expires: second(50),
        revoked: None,
        refused: None,
    }
}

async fn a3_a_token_counts_its_servers_and_ends(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let (provider, license, first): (OrgId, LicenseId, EnrollTokenId) = (id(PROVIDER), id(0x90), id(0xb0));
    write(store, async |tx| {
        enroll::insert(tx, &token(0xb0)).await?;
        enroll::insert(tx, &token(0xb1)).await
    })
    .await;
    let take = async || write(store, async move |tx| enroll::take_one(tx, first).await).await;
    assert_eq!([take().await, take().await, take().await], [true, true, false], "two, and no third");
    let note = async || write(store, async move |tx| enroll::note_refused(tx, first, second(7)).await).await;
    assert_eq!([note().await, note().await], [true, false], "it is told once");
    let found = write(store, async |tx| enroll::lock(tx, &[0xb0; 32]).await).await;
    assert_eq!(found, Some(EnrollTokenRow { used: 2, refused: Some(second(7)), ..token(0xb0) }));
    let mut read = store.read().await.expect("a snapshot");
    assert!(enroll::knows(&mut read, &[0xb1; 32]).await.expect("read"));
    assert!(!enroll::knows(&mut read, &[0xb2; 32]).await.expect("read"));
    assert_eq!(enroll::find(&mut read, id(OTHER), first).await.expect("read"), None);
    let listed = enroll::of_license(&mut read, provider, license, 1).await.expect("read");
    assert_eq!(listed, [token(0xb1)], "the newest");
    for (at, expected) in [(49, 2), (50, 0)] {
        assert_eq!(enroll::count(&mut read, provider, license, second(at)).await.expect("read"), expected);
    }
    assert_eq!(enroll::in_use(&mut read, provider, license).await.expect("read"), 0);
    drop(read);
    let revoke = async |of: OrgId| write(store, async move |tx| enroll::revoke(tx, of, first, second(8)).await).await;
    assert_eq!([revoke(id(OTHER)).await, revoke(provider).await, revoke(provider).await], [false, true, false]);
    let all = async || write(store, async |tx| enroll::revoke_all(tx, second(9)).await).await;
    assert_eq!([all().await, all().await], [1, 0], "the other one");
    let made = write(store, async move |tx: &mut Tx| {
        let code = NewCode {
            hash: [7; 32],
            provider,
            license,
            replaces: None,
            splits: false,
            now: second(3),
            until: second(3),
            enroll_token: Some(first),
        };
        installation::insert_code(tx, &code).await?;
        installation::lock_code(tx, &[7; 32]).await
    });
    assert_eq!(made.await.expect("the code").enroll_token, Some(first));
}

async fn a3_an_applicant_is_decided_on_once(test: &TestStore) {
    let store = &test.store;
    market(store).await;
    let (provider, license): (OrgId, LicenseId) = (id(PROVIDER), id(0x90));
    let row = move |n: u128, of: u128| ApplicantRow {
        token: id(of),
        key_id: [u8::try_from(n).expect("small"); 32],
        provider,
        license,
        id: id(n),
        name: "bkp-01".to_owned(),
        address: "10.0.0.7".to_owned(),
        asked: second(i64::try_from(n).expect("small")),
        admitted: None,
        refused: None,
    };
    write(store, async move |tx| {
        for token in [token(0xb0), token(0xb1)] {
            enroll::insert(tx, &token).await?;
        }
        for applicant in [row(0xc2, 0xb0), row(0xc1, 0xb0), row(0xc3, 0xb1)] {
            enroll::ask(tx, &applicant).await?;
        }
        Ok(())
    })
    .await;
    let twice = async move |tx: &mut Tx| enroll::ask(tx, &row(0xc1, 0xb0)).await;
    let twice: Result<(), StoreError> = store.write(Queue::People, twice).await;
    assert!(twice.is_err(), "a key waits once");
    let waiting = async || {
        let mut read = store.read().await.expect("a snapshot");
        let rows = enroll::waiting(&mut read, provider, license, 10).await.expect("read");
        rows.iter().map(|row| row.id.uuid().as_u128()).collect::<Vec<_>>()
    };
    assert_eq!(waiting().await, [0xc1, 0xc2, 0xc3], "the longest waiting first");
    write(store, async move |tx| enroll::revoke(tx, provider, id(0xb1), second(300)).await).await;
    assert_eq!(waiting().await, [0xc1, 0xc2], "nobody waits with a token that was revoked");
    let decide = async |n: u128, of: OrgId, admit: bool| {
        let applicant: ApplicantId = id(n);
        write(store, async move |tx| enroll::decide(tx, of, applicant, admit, second(301)).await).await
    };
    assert!(!decide(0xc1, id(OTHER), true).await);
    assert_eq!([decide(0xc1, provider, true).await, decide(0xc1, provider, false).await], [true, false]);
    assert!(decide(0xc2, provider, false).await);
    assert_eq!(waiting().await, Vec::<u128>::new());
    let standings = write(store, async move |tx| {
        let first = enroll::lock_applicant(tx, provider, id(0xc1)).await?.map(|row| row.standing());
        let none = enroll::lock_applicant(tx, id(OTHER), id(0xc1)).await?;
        assert_eq!(none, None);
        let second = enroll::asked(tx, id(0xb0), &[0xc2; 32]).await?.map(|row| row.standing());
        Ok([first, second, enroll::asked(tx, id(0xb1), &[0xc2; 32]).await?.map(|row| row.standing())])
    });
    assert_eq!(standings.await, [Some(Standing::Admitted), Some(Standing::Refused), None]);
}
