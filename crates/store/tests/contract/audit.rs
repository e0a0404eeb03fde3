//! The audit chain: whole after anything, broken by any change.

use futures::future::join_all;
use sha2::{Digest, Sha256};
use tenure_core::{InstallationId, OrgId};
use tenure_store::{
    AuditEntry, Engine, Queue, Statement, Store, StoreError, Tx,
    audit::{self, ProblemKind, Report},
    contract_tests, params,
    testing::{TestStore, rng, run},
};

use crate::support::{TestError, create_items, entry, put, second, sql};

contract_tests! {
    the_chain_is_whole_after_random_use_cases,
    more_entries_than_a_page_are_read,
    every_change_is_found,
    erased_bodies_and_dropped_leaves_are_told_apart_from_damage,
}

async fn verified(store: &Store) -> Report {
    audit::verify(store).await.expect("the chain can be read")
}

async fn the_chain_is_whole_after_random_use_cases(test: &TestStore) {
    let store = &test.store;
    create_items(store).await;
    let chance = rng(7);
    let (mut entries, mut leaves, mut expected_leaves, mut expected_entries) = (Vec::new(), Vec::new(), 0, 0);
    for id in 0..300_u64 {
        entries.push(chance.below(4));
        leaves.push(chance.below(3));
        if id % 4 != 0 {
            expected_entries += entries[id as usize];
            expected_leaves += leaves[id as usize];
        }
    }
    let writes = (0..300_u64).map(|id| {
        let (entries, leaves) = (entries[id as usize], leaves[id as usize]);
        store.write(Queue::Products, async move |tx: &mut Tx| {
            put(tx, id as i64).await?;
            for n in 0..entries {
                tx.audit(AuditEntry {
                    org: Some(OrgId::from_uuid(uuid::Uuid::from_u128(n.into()))),
                    ..entry(id as i64)
                });
            }
            for n in 0..leaves {
                tx.ingest_leaf([n as u8; 32], second(id as i64));
            }
            if id % 4 == 0 { Err(TestError::Refused(id as i64)) } else { Ok(()) }
        })
    });
    let refused = join_all(writes).await.into_iter().filter(Result::is_err).count();
    assert_eq!(refused, 75);
    let report = verified(store).await;
    assert!(report.is_clean(), "{:?}", report.problems().collect::<Vec<_>>());
    assert_eq!(report.lanes.iter().map(|lane| lane.leaves).sum::<u64>(), expected_leaves);
    let ingest = report.entries() - expected_entries;
    match store.engine() {
        // One lane, and one ingest entry per commit of many use cases.
        Engine::Sqlite => assert!(report.lanes.len() == 1 && ingest > 0 && ingest < 40, "{ingest} in {report:?}"),
        // Several lanes, side by side.
        Engine::Postgres => assert!(report.lanes.iter().filter(|lane| lane.entries > 0).count() > 1, "{report:?}"),
    }
}

async fn more_entries_than_a_page_are_read(test: &TestStore) {
    let many = async |tx: &mut Tx| {
        (0..1234).for_each(|id| tx.audit(entry(id)));
        Ok::<_, StoreError>(())
    };
    test.store.write(Queue::Jobs, many).await.expect("they are written");
    let report = verified(&test.store).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entries(), 1234);
}

/// Ten actions, then three commits with two leaves each, on one lane.
async fn write_some(store: &Store) -> i64 {
    for id in 0..3 {
        let write = async move |tx: &mut Tx| {
            (0..3).for_each(|n| tx.audit(entry(id * 10 + n)));
            tx.ingest_leaf([id as u8; 32], second(id));
            tx.ingest_leaf([0x77; 32], second(id));
            Ok::<_, StoreError>(())
        };
        store.write(Queue::Products, write).await.expect("it is written");
    }
    let report = verified(store).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.entries(), 12);
    i64::from(report.lanes.iter().max_by_key(|lane| lane.entries).expect("a lane").lane)
}

sql! {
    BODY = "UPDATE audit_entry SET body = replace(body, 'item_', 'itum_') WHERE lane = $1 AND n = 2";
    SALT = "UPDATE audit_entry SET salt = body_hash WHERE lane = $1 AND n = 2";
    ACTOR = "UPDATE audit_entry SET actor = 'usr_other' WHERE lane = $1 AND n = 2";
    INSTANT = "UPDATE audit_entry SET at_us = at_us + 1 WHERE lane = $1 AND n = 2";
    BODY_HASH = "UPDATE audit_entry SET body_hash = hash WHERE lane = $1 AND n = 2";
    HASH = "UPDATE audit_entry SET hash = body_hash WHERE lane = $1 AND n = 2";
    HOLE = "DELETE FROM audit_entry WHERE lane = $1 AND n = 2";
    TAIL = "DELETE FROM audit_entry WHERE lane = $1 AND n = (SELECT n FROM audit_lane WHERE lane = $1)";
    SWAP = "UPDATE audit_entry SET n = CASE n WHEN 1 THEN -2 ELSE -1 END WHERE lane = $1 AND n <= 2";
    SWAP_BACK = "UPDATE audit_entry SET n = -n WHERE lane = $1 AND n < 0";
    LEAF = "UPDATE ingest_leaves SET leaves = $2 WHERE lane = $1 AND n = 4";
    ROOT = "UPDATE ingest_leaves SET root = $2 WHERE lane = $1 AND n = 4";
    NO_ROOT = "DELETE FROM ingest_leaves WHERE lane = $1 AND n = 4";
    ERASE = "UPDATE audit_entry SET salt = NULL, body = NULL WHERE lane = $1 AND n = 2";
    HALF_ERASE = "UPDATE audit_entry SET salt = NULL WHERE lane = $1 AND n = 2";
    DROP_LEAVES = "UPDATE ingest_leaves SET leaves = NULL WHERE lane = $1 AND n = 4";
}

async fn every_change_is_found(test: &TestStore) {
    use ProblemKind::{Body, Columns, Gap, Head, Leaves, Link};
    let changes: [(Vec<&'static Statement>, Option<u8>, &[ProblemKind]); 13] = [
        (vec![&BODY], None, &[Body]),
        (vec![&SALT], None, &[Body]),
        (vec![&HALF_ERASE], None, &[Body]),
        (vec![&ACTOR], None, &[Columns]),
        (vec![&INSTANT], None, &[Columns]),
        (vec![&BODY_HASH], None, &[Link, Body]),
        (vec![&HASH], None, &[Link, Link]),
        (vec![&HOLE], None, &[Gap, Link]),
        (vec![&TAIL], None, &[Head]),
        (vec![&SWAP, &SWAP_BACK], None, &[Link, Link, Link]),
        (vec![&LEAF], Some(0x55), &[Leaves]),
        (vec![&ROOT], Some(0x55), &[Leaves]),
        (vec![&NO_ROOT], None, &[Leaves]),
    ];
    // A database each: what one change breaks, the next must not hide.
    for (statements, byte, kinds) in changes {
        let own = TestStore::on(test.store.engine()).await;
        let lanes = write_on_one_lane(&own.store).await;
        for &statement in &statements {
            let change = async move |tx: &mut Tx| {
                let parameters = match byte {
                    None => params![lanes],
                    Some(byte) => params![lanes, [byte; 32]],
                };
                tx.execute(statement, parameters).await
            };
            let changed = own.store.write(Queue::People, change).await.expect("whoever owns the database can");
            assert!(changed > 0, "{}", statement.name);
        }
        let found: Vec<_> = verified(&own.store).await.problems().map(|problem| problem.kind).collect();
        assert_eq!(found, kinds, "{}", statements[0].name);
        own.close().await;
    }
}

/// As [`write_some`], in one transaction on PostgreSQL, where each commit may take another lane.
async fn write_on_one_lane(store: &Store) -> i64 {
    if store.engine() == Engine::Sqlite {
        return write_some(store).await;
    }
    let write = async |tx: &mut Tx| {
        (0..3).for_each(|n| tx.audit(entry(n)));
        tx.ingest_leaf([1; 32], second(0));
        tx.ingest_leaf([0x77; 32], second(0));
        Ok::<_, StoreError>(())
    };
    store.write(Queue::Products, write).await.expect("it is written");
    let report = verified(store).await;
    i64::from(report.lanes.iter().find(|lane| lane.entries == 4).expect("one lane has all four").lane)
}

async fn erased_bodies_and_dropped_leaves_are_told_apart_from_damage(test: &TestStore) {
    let lane = write_on_one_lane(&test.store).await;
    for statement in [&ERASE, &DROP_LEAVES] {
        let change = async move |tx: &mut Tx| tx.execute_one(statement, params![lane]).await;
        test.store.write(Queue::Jobs, change).await.expect("retention may");
    }
    let report = verified(&test.store).await;
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.lanes.iter().map(|lane| (lane.erased, lane.leaves_dropped)).max(), Some((1, 1)));
}

#[test]
fn a_leaf_covers_who_when_and_what() {
    let installation = InstallationId::from_uuid(uuid::Uuid::from_u128(0x0123_4567_89ab_cdef));
    let mut bytes = vec![0];
    bytes.extend(installation.uuid().as_bytes());
    bytes.extend([0, 0, 0, 0, 0, 0, 1, 2]);
    for n in 1..=4_u8 {
        bytes.extend([n; 32]);
    }
    let expected: [u8; 32] = Sha256::digest(bytes).into();
    assert_eq!(audit::leaf(installation, 258, &[1; 32], &[2; 32], &[[3; 32], [4; 32]]), expected);
}

/// The chain's arithmetic, once by hand: SQLite, the first entry.
#[test]
fn the_first_entry_by_hand() {
    sql! { FIRST = "SELECT salt, body, body_hash, hash FROM audit_entry WHERE lane = 0 AND n = 1"; }
    run(Engine::Sqlite, async |test| {
        let write = async |tx: &mut Tx| {
            tx.audit(entry(5));
            Ok::<_, StoreError>(())
        };
        test.store.write(Queue::People, write).await.expect("it is written");
        let row = test.store.read().await.expect("a snapshot").fetch_one(&FIRST, params![]).await.expect("the entry");
        let (salt, body) = (row.blob("salt").expect("a salt"), row.text("body").expect("a body"));
        assert!(salt.len() == 16 && body.starts_with(r#"{"at":"2026-"#), "{body}");
        let body_hash: [u8; 32] = Sha256::new().chain_update(&salt).chain_update(&body).finalize().into();
        assert_eq!(row.hash("body_hash").expect("a hash"), body_hash);
        let mut chained = vec![1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
        chained.extend([0; 32]);
        chained.extend(body_hash);
        let hash: [u8; 32] = Sha256::digest(chained).into();
        assert_eq!(row.hash("hash").expect("a hash"), hash);
    });
}
