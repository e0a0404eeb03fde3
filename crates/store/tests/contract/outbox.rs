//! The outbox: numbers without holes, one sender at a time, nothing from what was rolled back.

use futures::future::join_all;
use tenure_store::{
    Message, Queue, Store, StoreError, Tx, contract_tests,
    outbox::{self, Pending},
    testing::TestStore,
};

use crate::support::{TestError, second};

contract_tests! { x8_numbers_have_no_holes, x7_a_message_has_one_sender_until_its_lease_is_over }

fn message(aggregate: &str, at: i64) -> Message {
    Message {
        aggregate: aggregate.to_owned(),
        kind: "usage.reminder",
        to: "org_test".to_owned(),
        body: serde_json::json!({"day": at}),
        at: second(at),
    }
}

async fn pending(store: &Store, now: i64) -> Vec<Pending> {
    outbox::pending(&mut store.read().await.expect("a snapshot"), second(now), 500).await.expect("the outbox is read")
}

async fn x8_numbers_have_no_holes(test: &TestStore) {
    let store = &test.store;
    let writes = (0..60_i64).map(|id| {
        store.write(Queue::Jobs, async move |tx: &mut Tx| {
            // Two aggregates, in either order, so that their counters would deadlock if they were locked as they come.
            let (one, other) = if id % 2 == 0 { ("a", "b") } else { ("b", "a") };
            tx.outbox(message(one, id));
            tx.outbox(message(other, id));
            tx.outbox(message(one, id));
            if id % 5 == 0 { Err(TestError::Refused(id)) } else { Ok(()) }
        })
    });
    let written = join_all(writes).await.into_iter().flatten().count();
    assert_eq!(written, 48);
    let pending = pending(store, 1000).await;
    for aggregate in ["a", "b"] {
        let mut numbers: Vec<_> =
            pending.iter().filter(|message| message.aggregate == aggregate).map(|message| message.number).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, (1..=72).collect::<Vec<_>>(), "{aggregate}");
    }
    assert_eq!(store.stats().reruns, 0, "no deadlock");
}

async fn x7_a_message_has_one_sender_until_its_lease_is_over(test: &TestStore) {
    let store = &test.store;
    let write = async |tx: &mut Tx| {
        (0..3).for_each(|n| tx.outbox(message("a", n)));
        Ok::<_, StoreError>(())
    };
    store.write(Queue::Jobs, write).await.expect("it is written");
    let claim = |now: i64, limit: i64| {
        store.write(Queue::Jobs, async move |tx: &mut Tx| outbox::claim(tx, second(now), second(now + 60), limit).await)
    };
    let (one, other) = futures::join!(claim(10, 2), claim(10, 2));
    let (mut one, other) = (one.expect("claimed"), other.expect("claimed"));
    assert_eq!(one.len() + other.len(), 3, "each message once: {one:?} {other:?}");
    one.extend(other);
    one.sort_by_key(|message| message.number);
    assert_eq!(
        one.iter().map(|message| (message.number, message.attempts)).collect::<Vec<_>>(),
        [(1, 1), (2, 1), (3, 1)]
    );
    assert_eq!(one[2].body, serde_json::json!({"day": 2}));

    let (sent, late) = (one[0].id, one[1].id);
    let settle = async move |tx: &mut Tx| {
        let first = outbox::mark_sent(tx, sent, second(11)).await?;
        let again = outbox::mark_sent(tx, sent, second(12)).await?;
        outbox::postpone(tx, late, second(500), "no such host").await?;
        Ok::<_, StoreError>((first, again))
    };
    assert_eq!(store.write(Queue::Jobs, settle).await.expect("settled"), (true, false));
    // The lease of the third is over at 70; the second waits until 500.
    assert_eq!(claim(69, 10).await.expect("claimed"), []);
    let again = claim(70, 10).await.expect("claimed");
    assert_eq!(again.iter().map(|message| (message.number, message.attempts)).collect::<Vec<_>>(), [(3, 2)]);
    assert_eq!(pending(store, 500).await.len(), 2);
}
