//! Writing: isolation of use cases that share a commit, answers to the right caller, bounds, recovery.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
};

use futures::future::join_all;
use tenure_store::{
    Engine, Options, Queue, Statement, Store, StoreError, Tx, contract_tests, params,
    testing::{TestStore, run},
};
use tokio::sync::{Barrier, Notify, oneshot};

use crate::support::{DELETE, LOCK, NOTE, PUT, TestError, create_items, entry, ids, put, sql, stored};

contract_tests! {
    e10_an_error_undoes_its_own_use_case_and_reaches_its_caller,
    a_use_case_that_hides_a_failed_statement_is_not_committed,
    a_panic_ends_one_use_case,
    affected_rows_are_checked,
    a_snapshot_stays_as_it_was,
    readers_cannot_write,
    closing_finishes_what_is_queued,
}

async fn e10_an_error_undoes_its_own_use_case_and_reaches_its_caller(test: &TestStore) {
    let store = &test.store;
    create_items(store).await;
    let writes = (0..100_i64).map(|id| {
        store.write(Queue::Products, async move |tx: &mut Tx| {
            put(tx, id).await?;
            tx.audit(entry(id));
            if id % 3 == 0 { Err(TestError::Refused(id)) } else { Ok(id * 2) }
        })
    });
    for (id, result) in (0..).zip(join_all(writes).await) {
        match result {
            Ok(doubled) => assert!(id % 3 != 0 && doubled == id * 2),
            Err(TestError::Refused(refused)) => assert!(id % 3 == 0 && refused == id),
            Err(error) => panic!("{id}: {error:?}"),
        }
    }
    assert_eq!(stored(store).await, (0..100).filter(|id| id % 3 != 0).collect::<Vec<_>>());
    assert_eq!(store.stats().failed, 34);
}

/// Each holds an audit lane until its COMMIT, and other replicas need some.
#[test]
fn four_use_cases_write_to_postgresql_at_once() {
    run(Engine::Postgres, async |test| {
        let (all, inside, most) = (Arc::new(Barrier::new(4)), Arc::default(), Arc::default());
        let writes = (0..12).map(|_| {
            let (all, inside, most) =
                (Arc::clone(&all), Arc::<AtomicU32>::clone(&inside), Arc::<AtomicU32>::clone(&most));
            test.store.write(Queue::Products, async move |_: &mut Tx| {
                most.fetch_max(inside.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                all.wait().await;
                inside.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, StoreError>(())
            })
        });
        assert!(join_all(writes).await.iter().all(Result::is_ok));
        assert_eq!(most.load(Ordering::SeqCst), 4);
    });
}

async fn a_use_case_that_hides_a_failed_statement_is_not_committed(test: &TestStore) {
    create_items(&test.store).await;
    let hides = async |tx: &mut Tx| {
        put(tx, 1).await?;
        let error = put(tx, 1).await.expect_err("the key is taken");
        assert!(error.is_unique_violation(), "{error:?}");
        Ok::<_, StoreError>(())
    };
    let result = test.store.write(Queue::People, hides).await;
    assert!(matches!(result, Err(StoreError::Poisoned)), "{result:?}");
    assert_eq!(stored(&test.store).await, Vec::<i64>::new());
}

async fn a_panic_ends_one_use_case(test: &TestStore) {
    create_items(&test.store).await;
    let panics = async |tx: &mut Tx| {
        put(tx, 1).await?;
        assert_eq!(ids(tx).await, [2], "on purpose");
        Ok::<_, StoreError>(())
    };
    let other = async |tx: &mut Tx| put(tx, 2).await;
    let (panicked, written) =
        futures::join!(test.store.write(Queue::People, panics), test.store.write(Queue::People, other));
    assert!(matches!(panicked, Err(StoreError::Panicked)), "{panicked:?}");
    written.expect("the other use case is committed");
    assert_eq!(stored(&test.store).await, [2]);
}

async fn affected_rows_are_checked(test: &TestStore) {
    create_items(&test.store).await;
    let missing = async |tx: &mut Tx| tx.execute_one(&NOTE, params![7, "x"]).await;
    let result = test.store.write(Queue::People, missing).await;
    assert!(matches!(result, Err(StoreError::Affected { expected: 1, actual: 0, .. })), "{result:?}");
    let short = async |tx: &mut Tx| tx.execute(&PUT, params![7]).await;
    let result = test.store.write(Queue::People, short).await;
    assert!(matches!(result, Err(StoreError::Arity { expected: 2, actual: 1, .. })), "{result:?}");
}

async fn a_snapshot_stays_as_it_was(test: &TestStore) {
    create_items(&test.store).await;
    let mut snapshot = test.store.read().await.expect("a snapshot");
    assert_eq!(ids(&mut snapshot).await, Vec::<i64>::new());
    test.store.write(Queue::People, async |tx| put(tx, 1).await).await.expect("it is written");
    assert_eq!(ids(&mut snapshot).await, Vec::<i64>::new());
    assert_eq!(ids(&mut test.store.peek().await.expect("a connection")).await, [1]);
}

async fn readers_cannot_write(test: &TestStore) {
    static SNEAK: Statement =
        Statement { name: "SNEAK", sql: "INSERT INTO item (id, note) VALUES (1, 'x') RETURNING id", pg: None };
    create_items(&test.store).await;
    let mut read = test.store.read().await.expect("a snapshot");
    read.fetch_all(&SNEAK, params![]).await.expect_err("a reader is read-only");
    drop(read);
    assert_eq!(stored(&test.store).await, Vec::<i64>::new());
}

async fn closing_finishes_what_is_queued(test: &TestStore) {
    create_items(&test.store).await;
    let other = Store::open(&test.url, tenure_store::testing::rng(9)).await.expect("a second handle");
    let writes = join_all((0..20).map(|id| other.write(Queue::Jobs, async move |tx: &mut Tx| put(tx, id).await)));
    let (results, ()) = futures::join!(writes, other.close());
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    let late = other.write(Queue::Jobs, async |tx: &mut Tx| put(tx, 99).await).await;
    assert!(matches!(late, Err(StoreError::Closed)), "{late:?}");
    assert_eq!(stored(&test.store).await.len(), 20);
}

/// Holds the writer inside a use case until told to go on.
async fn hold(store: &Store) -> oneshot::Sender<()> {
    let (release, held) = oneshot::channel::<()>();
    let (held, started) = (Mutex::new(Some(held)), Arc::new(Notify::new()));
    let (store, at_work) = (store.clone(), Arc::clone(&started));
    tokio::spawn(async move {
        let wait = async move |_: &mut Tx| {
            let held = held.lock().expect("nobody panics").take();
            at_work.notify_one();
            if let Some(held) = held {
                let _ = held.await;
            }
            Ok::<_, StoreError>(())
        };
        store.write(Queue::People, wait).await
    });
    started.notified().await;
    release
}

/// SQLite alone: PostgreSQL's WAL flushes are shared by the server.
#[test]
fn commits_are_shared() {
    run(Engine::Sqlite, async |test| {
        create_items(&test.store).await;
        let before = test.store.stats();
        let release = hold(&test.store).await;
        let writes =
            (0..200_i64).map(|id| test.store.write(Queue::Products, async move |tx: &mut Tx| put(tx, id).await));
        let (results, ()) = futures::join!(join_all(writes), async { drop(release) });
        assert!(results.iter().all(Result::is_ok));
        let after = test.store.stats();
        assert_eq!(after.ops - before.ops, 201);
        assert!(after.commits - before.commits <= 6, "{after:?}");
        assert_eq!(stored(&test.store).await.len(), 200);
    });
}

/// SQLite alone: on PostgreSQL the queues are emptied into connections.
#[test]
fn people_go_first_and_a_full_queue_says_so() {
    run(Engine::Sqlite, async |_| {
        let test = TestStore::sqlite_with(Options { queue: 2, ..Options::default() }).await;
        let store = &test.store;
        let release = hold(store).await;
        let order = Arc::new(Mutex::new(Vec::new()));
        let write = |queue: Queue| {
            let order = Arc::clone(&order);
            store.write(queue, async move |_: &mut Tx| {
                order.lock().expect("nobody panics").push(queue);
                Ok::<_, StoreError>(())
            })
        };
        // Each write is queued when it is first polled, in this order; the third job finds the queue full.
        let (first, second, third, product, person, ()) = futures::join!(
            write(Queue::Jobs),
            write(Queue::Jobs),
            write(Queue::Jobs),
            write(Queue::Products),
            write(Queue::People),
            async { drop(release) },
        );
        assert!(first.is_ok() && second.is_ok() && product.is_ok() && person.is_ok());
        assert!(matches!(third, Err(StoreError::Busy { queue: Queue::Jobs })), "{third:?}");
        assert_eq!(*order.lock().expect("nobody panics"), [Queue::People, Queue::Products, Queue::Jobs, Queue::Jobs]);
        assert_eq!(store.stats().busy, 1);
    });
}

/// SQLite alone, for the same reason.
#[test]
fn what_nobody_waits_for_is_not_run() {
    run(Engine::Sqlite, async |test| {
        create_items(&test.store).await;
        let release = hold(&test.store).await;
        let given_up = test.store.write(Queue::People, async |tx: &mut Tx| put(tx, 1).await);
        assert!(futures::poll!(Box::pin(given_up)).is_pending());
        let kept = test.store.write(Queue::People, async |tx: &mut Tx| put(tx, 2).await);
        let (kept, ()) = futures::join!(kept, async { drop(release) });
        kept.expect("it is written");
        assert_eq!(stored(&test.store).await, [2]);
    });
}

/// SQLite alone: its limit of pages stands for a disk of that size.
#[test]
fn e9_a_full_disk_is_told_and_survived() {
    run(Engine::Sqlite, async |_| {
        let test = TestStore::sqlite_with(Options { max_pages: Some(240), ..Options::default() }).await;
        let store = &test.store;
        create_items(store).await;
        let big = "x".repeat(300_000);
        let fill = |id: i64| {
            let big = big.clone();
            store.write(Queue::People, async move |tx: &mut Tx| {
                tx.execute_one(&PUT, params![id, &big]).await?;
                tx.audit(entry(id));
                Ok::<_, StoreError>(())
            })
        };
        let small = |id: i64| store.write(Queue::People, async move |tx: &mut Tx| put(tx, id).await);
        fill(1).await.expect("there is room for one");
        // In one group: the one that does not fit takes none of the others with it.
        let release = hold(store).await;
        let (before, full, after, ()) = futures::join!(small(2), fill(3), small(4), async { drop(release) });
        before.expect("it fits");
        assert!(matches!(full, Err(StoreError::DiskFull)), "{full:?}");
        after.expect("it fits");
        assert_eq!(stored(store).await, [1, 2, 4]);
        let emptied = store.write(Queue::People, async |tx: &mut Tx| tx.execute(&DELETE, params![]).await).await;
        assert_eq!(emptied.expect("deleting needs no room"), 3);
        fill(5).await.expect("there is room again");
        assert!(tenure_store::audit::verify(store).await.expect("it can be read").is_clean());
    });
}

/// PostgreSQL alone: one writer never deadlocks.
#[test]
fn x8_a_deadlock_is_run_again() {
    run(Engine::Postgres, async |test| {
        let store = &test.store;
        create_items(store).await;
        store
            .write(Queue::People, async |tx| {
                put(tx, 1).await?;
                put(tx, 2).await
            })
            .await
            .expect("they are written");
        let (both, runs) = (Arc::new(Barrier::new(2)), Arc::new(AtomicU32::new(0)));
        let cross = |first: i64, second: i64| {
            let (both, runs) = (Arc::clone(&both), Arc::clone(&runs));
            store.write(Queue::People, async move |tx: &mut Tx| {
                tx.fetch_one(&LOCK, params![first]).await?;
                if runs.fetch_add(1, Ordering::Relaxed) < 2 {
                    both.wait().await;
                }
                tx.fetch_one(&LOCK, params![second]).await?;
                tx.execute_one(&NOTE, params![second, "crossed"]).await
            })
        };
        let (one, other) = futures::join!(cross(1, 2), cross(2, 1));
        one.and(other).expect("both are committed in the end");
        // PostgreSQL may pick both as victims, so how often is its choice; each rerun is one that it asked for.
        let (reruns, runs) = (store.stats().reruns, runs.load(Ordering::Relaxed));
        assert!(reruns >= 1 && u64::from(runs) == 2 + reruns, "{reruns} reruns, {runs} runs");
    });
}

/// PostgreSQL alone: SQLite's COMMIT ends in this process.
#[test]
fn e9_a_connection_that_breaks_during_commit_leaves_doubt() {
    sql! {
        KILLER = "SELECT 1", pg "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS \
            $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$";
        TRIGGER = "SELECT 1", pg "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON item DEFERRABLE INITIALLY DEFERRED \
            FOR EACH ROW EXECUTE FUNCTION die()";
    }
    run(Engine::Postgres, async |test| {
        create_items(&test.store).await;
        let trap = async |tx: &mut Tx| {
            tx.execute(&KILLER, params![]).await?;
            tx.execute(&TRIGGER, params![]).await
        };
        test.store.write(Queue::People, trap).await.expect("the trap is set");
        let result = test.store.write(Queue::Products, async |tx: &mut Tx| put(tx, 1).await).await;
        assert!(matches!(result, Err(StoreError::InDoubt)), "{result:?}");
        assert_eq!(test.store.stats().reruns, 0, "nothing is run again");
        test.store
            .write(Queue::People, async |tx: &mut Tx| tx.execute(&DELETE, params![]).await)
            .await
            .expect("goes on");
    });
}

/// SQLite alone: there the end of the audit lane is remembered from commit to commit, until another process moves it.
#[test]
fn e10_a_second_process_may_write_to_the_same_file() {
    run(Engine::Sqlite, async |test| {
        create_items(&test.store).await;
        let other = Store::open(&test.url, tenure_store::testing::rng(2)).await.expect("a second handle");
        for id in 0..10 {
            let store = if id % 2 == 0 { &test.store } else { &other };
            let write = async move |tx: &mut Tx| {
                put(tx, id).await?;
                tx.audit(entry(id));
                Ok::<_, StoreError>(())
            };
            store.write(Queue::People, write).await.expect("the audit head is read again");
        }
        other.close().await;
        let report = tenure_store::audit::verify(&test.store).await.expect("it can be read");
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(report.entries(), 10);
        let unique: BTreeSet<_> = stored(&test.store).await.into_iter().collect();
        assert_eq!(unique.len(), 10);
    });
}
