//! Jobs: each item once, whoever is paused or killed when.

use tenure_store::{
    Queue, Statement, Store, Tx, contract_tests,
    jobs::{self, CHUNK, Chunk, Claimed, NewJob, Ran},
    params,
    testing::TestStore,
};

use crate::support::{TestError, create_items, put, second, sql, stored};

contract_tests! {
    two_workers_do_each_item_once,
    a_job_is_enqueued_once_and_claimed_when_due,
    a_failed_chunk_leaves_no_trace,
    a_job_that_fails_each_time_is_late_since_it_was_first_due,
}

const ITEMS: i64 = 1250;

async fn enqueue(store: &Store, key: &str, due: i64) -> bool {
    let job = NewJob {
        kind: "item.fill",
        key: key.to_owned(),
        payload: serde_json::json!({"items": ITEMS}),
        at: second(0),
        due_at: second(due),
    };
    store.write(Queue::People, async move |tx: &mut Tx| jobs::enqueue(tx, job.clone()).await).await.expect("enqueued")
}

async fn claim(store: &Store, now: i64) -> Option<Claimed> {
    jobs::claim(store, "item.fill", second(now), second(now + 60)).await.expect("the jobs can be claimed")
}

/// One chunk: the next items from the cursor on, by unique key.
async fn fill(tx: &mut Tx, cursor: Option<&str>) -> Result<Chunk, TestError> {
    let from: i64 = cursor.map_or(0, |cursor| cursor.parse().expect("the cursor is a number"));
    let to = ITEMS.min(from + CHUNK);
    for id in from..to {
        put(tx, id).await?;
    }
    Ok(if to == ITEMS { Chunk::Done } else { Chunk::More { cursor: to.to_string() } })
}

async fn chunk(store: &Store, job: &Claimed, now: i64) -> Ran {
    jobs::run_chunk(store, job, second(now), second(now + 60), fill).await.expect("the chunk runs")
}

async fn two_workers_do_each_item_once(test: &TestStore) {
    let store = &test.store;
    create_items(store).await;
    assert!(enqueue(store, "all", 0).await);
    let slow = claim(store, 0).await.expect("it is due");
    assert_eq!((slow.attempt, slow.cursor.as_deref()), (1, None));
    assert_eq!(chunk(store, &slow, 10).await, Ran::More);
    // The first worker is paused; its lease, renewed at 10, is over at 70.
    assert_eq!(claim(store, 69).await, None);
    let quick = claim(store, 70).await.expect("the lease is over");
    assert_eq!((quick.attempt, quick.cursor.as_deref()), (2, Some("500")));
    // Both go on at once: the earlier claim changes nothing.
    let (superseded, ran) = futures::join!(chunk(store, &slow, 71), chunk(store, &quick, 71));
    assert_eq!((superseded, ran), (Ran::Superseded, Ran::More));
    assert_eq!(chunk(store, &quick, 72).await, Ran::Done);
    assert_eq!(chunk(store, &quick, 73).await, Ran::Superseded);
    assert!(!jobs::fail(store, &slow, "late".to_owned(), second(100)).await.expect("it can be told"));
    assert_eq!(stored(store).await, (0..ITEMS).collect::<Vec<_>>());
    assert_eq!(claim(store, 1000).await, None);
}

async fn a_job_is_enqueued_once_and_claimed_when_due(test: &TestStore) {
    let store = &test.store;
    assert!(enqueue(store, "later", 100).await);
    assert!(enqueue(store, "sooner", 50).await);
    assert!(!enqueue(store, "later", 10).await, "the same key is the same job");
    assert_eq!(jobs::next_due(store, "item.fill").await.expect("it can be read"), Some(second(50)));
    assert_eq!(claim(store, 49).await, None);
    let (one, other) = futures::join!(claim(store, 200), claim(store, 200));
    let mut keys = [one.expect("due").key, other.expect("due").key];
    keys.sort();
    assert_eq!(keys, ["later", "sooner"]);
    assert_eq!(jobs::claim(store, "other", second(900), second(901)).await.expect("it can be asked"), None);
}

async fn a_failed_chunk_leaves_no_trace(test: &TestStore) {
    sql! { ERROR = "SELECT error, due_us FROM job WHERE attempt = 1"; }
    let store = &test.store;
    create_items(store).await;
    assert!(enqueue(store, "all", 0).await);
    let job = claim(store, 0).await.expect("it is due");
    let fails = async |tx: &mut Tx, _: Option<&str>| {
        put(tx, 1).await?;
        Err(TestError::Refused(1))
    };
    let result = jobs::run_chunk(store, &job, second(1), second(61), fails).await;
    assert!(matches!(result, Err(TestError::Refused(1))), "{result:?}");
    assert_eq!(stored(store).await, Vec::<i64>::new());
    assert!(jobs::fail(store, &job, "refused 1".to_owned(), second(30)).await.expect("it is told"));
    let row = store.read().await.expect("a snapshot").fetch_one(&ERROR, params![]).await.expect("the job");
    assert_eq!(row.text("error").expect("an error"), "refused 1");
    let again = claim(store, 30).await.expect("it is due again");
    assert_eq!(chunk(store, &again, 31).await, Ran::More);
    let purged = store.write(Queue::Jobs, async |tx| jobs::purge(tx, second(9999)).await).await;
    assert_eq!(purged.expect("it runs"), 0, "what is not done stays");
}

async fn a_job_that_fails_each_time_is_late_since_it_was_first_due(test: &TestStore) {
    let store = &test.store;
    create_items(store).await;
    assert!(enqueue(store, "fails", 100).await);
    assert!(enqueue(store, "not yet", 9000).await);
    let overdue = async |now: i64| {
        let mut read = store.read().await.expect("a snapshot");
        jobs::overdue(&mut read, second(now)).await.expect("they can be counted")
    };
    assert_eq!(overdue(99).await, (0, None));
    for now in (100..1000).step_by(60) {
        assert_eq!(overdue(now).await, (1, Some(second(100))), "at {now}");
        let job = claim(store, now).await.expect("it is due");
        assert_eq!(overdue(now).await, (1, Some(second(100))), "claimed at {now}");
        assert!(jobs::fail(store, &job, "refused".to_owned(), second(now + 60)).await.expect("it is told"));
        assert_eq!(overdue(now).await, (1, Some(second(100))), "failed at {now}");
    }
    let job = claim(store, 1000).await.expect("it is due");
    assert_eq!(chunk(store, &job, 1001).await, Ran::More);
    assert_eq!(overdue(1002).await, (1, Some(second(100))), "it runs, and is late");
    assert_eq!(chunk(store, &job, 1002).await, Ran::More);
    assert_eq!(chunk(store, &job, 1003).await, Ran::Done);
    assert_eq!(overdue(1003).await, (0, None));
}
