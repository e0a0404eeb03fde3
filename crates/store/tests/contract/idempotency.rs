//! `Idempotency-Key`: done once, answered twice, never across organizations.

use std::sync::Arc;

use tenure_core::OrgId;
use tenure_store::{
    Engine, Queue, Store, StoreError, Tx, contract_tests,
    idempotency::{self, Answer, IdempotencyKey, KEPT_HOURS, Known},
    testing::{TestStore, run},
};
use tokio::sync::Notify;

use crate::support::second;

contract_tests! { a_key_is_answered_once_per_organization, an_answer_is_kept_for_48_hours }

fn key(org: u128, operation: &'static str, key: &str) -> IdempotencyKey {
    let org = OrgId::from_uuid(uuid::Uuid::from_u128(org));
    IdempotencyKey { org, principal: "tok_1".to_owned(), operation, key: key.to_owned() }
}

/// What a handler does: look, and if it is fresh do the work and remember its answer.
async fn handle(store: &Store, key: &IdempotencyKey, request: u8, now: i64) -> Known {
    let key = key.clone();
    let handle = async move |tx: &mut Tx| {
        let known = idempotency::begin(tx, &key, &[request; 32], second(now)).await?;
        if known == Known::Fresh {
            let answer = Answer { status: 201, response: format!("made at {now}") };
            idempotency::remember(tx, &key, &[request; 32], &answer, second(now)).await?;
        }
        Ok::<_, StoreError>(known)
    };
    store.write(Queue::People, handle).await.expect("it is handled")
}

async fn a_key_is_answered_once_per_organization(test: &TestStore) {
    let store = &test.store;
    let mine = key(1, "license.create", "k");
    assert_eq!(handle(store, &mine, 1, 0).await, Known::Fresh);
    let answer = Answer { status: 201, response: "made at 0".to_owned() };
    assert_eq!(handle(store, &mine, 1, 5).await, Known::Answered(answer.clone()));
    assert_eq!(handle(store, &mine, 2, 5).await, Known::OtherRequest);
    for other in [key(2, "license.create", "k"), key(1, "license.copy", "k"), key(1, "license.create", "K")] {
        assert_eq!(handle(store, &other, 1, 6).await, Known::Fresh, "{other:?}");
    }
    assert_eq!(handle(store, &mine, 1, 7).await, Known::Answered(answer));
}

async fn an_answer_is_kept_for_48_hours(test: &TestStore) {
    let store = &test.store;
    let (mine, end) = (key(1, "license.create", "k"), KEPT_HOURS * 3600);
    assert_eq!(handle(store, &mine, 1, 0).await, Known::Fresh);
    assert!(matches!(handle(store, &mine, 1, end - 1).await, Known::Answered(_)));
    assert_eq!(handle(store, &mine, 2, end).await, Known::Fresh, "the old answer makes way");
    let later = Answer { status: 201, response: format!("made at {end}") };
    assert_eq!(handle(store, &mine, 2, end + 1).await, Known::Answered(later));
    let purge = |now: i64| store.write(Queue::Jobs, async move |tx: &mut Tx| idempotency::purge(tx, second(now)).await);
    assert_eq!(purge(2 * end - 1).await.expect("it runs"), 0);
    assert_eq!(purge(2 * end).await.expect("it runs"), 1);
}

/// PostgreSQL alone: one writer never has two in flight.
#[test]
fn a_key_in_flight_is_told() {
    run(Engine::Postgres, async |test| {
        let store = &test.store;
        let (begun, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (begun_there, go_on_there) = (Arc::clone(&begun), Arc::clone(&go_on));
        let slow = store.write(Queue::People, async move |tx: &mut Tx| {
            let known = idempotency::begin(tx, &key(1, "license.create", "k"), &[1; 32], second(0)).await?;
            begun_there.notify_one();
            go_on_there.notified().await;
            Ok::<_, StoreError>(known)
        });
        let quick = async {
            begun.notified().await;
            let known = handle(store, &key(1, "license.create", "k"), 1, 0).await;
            let other = handle(store, &key(2, "license.create", "k"), 1, 0).await;
            go_on.notify_one();
            (known, other)
        };
        let (slow, quick) = futures::join!(slow, quick);
        assert_eq!((slow.expect("it ends"), quick), (Known::Fresh, (Known::InFlight, Known::Fresh)));
    });
}
