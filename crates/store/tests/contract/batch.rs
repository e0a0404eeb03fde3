//! The batch path: the pattern every ingest statement follows, and what a batcher does with messages.

use std::sync::{Arc, Mutex};

use futures::future::join_all;
use serde::Serialize;
use tenure_store::{
    BatchOptions, Engine, Queue, Statement, Store, StoreError, Tx, contract_tests, hex, json_rows, params,
    testing::TestStore,
};
use uuid::Uuid;

use crate::support::{TestError, sql};

contract_tests! {
    one_statement_moves_a_whole_batch,
    a_batch_holds_one_message_per_key_and_answers_each,
    a_message_that_fails_takes_none_with_it,
    too_many_waiting_messages_are_refused,
}

sql! {
    CREATE = "CREATE TABLE head (id BLOB NOT NULL PRIMARY KEY, seq INTEGER NOT NULL, hash BLOB NOT NULL) STRICT",
        pg "CREATE TABLE head (id UUID NOT NULL PRIMARY KEY, seq BIGINT NOT NULL, hash BYTEA NOT NULL)";
    ADD = "INSERT INTO head (id, seq, hash) SELECT unhex(value->>'id', '-'), 0, x'00' FROM json_each($1)",
        pg "INSERT INTO head (id, seq, hash) SELECT id, 0, '\\x00'::bytea FROM json_to_recordset($1::json) AS x(id uuid)";
    // The decision is a compare-and-set in the statement; whose row does not return lost.
    SWAP = "UPDATE head SET seq = new.seq, hash = new.hash FROM (SELECT unhex(value->>'id', '-') AS id, \
            value->>'seq' AS seq, unhex(value->>'hash') AS hash FROM json_each($1)) AS new \
            WHERE head.id = new.id AND head.seq = new.seq - 1 RETURNING head.id AS id",
        pg "WITH new AS (SELECT id, seq, decode(hash, 'hex') AS hash \
            FROM json_to_recordset($1::json) AS x(id uuid, seq bigint, hash text)), \
            locked AS (SELECT head.id FROM head JOIN new USING (id) ORDER BY head.id FOR UPDATE OF head) \
            UPDATE head SET seq = new.seq, hash = new.hash FROM new JOIN locked USING (id) \
            WHERE head.id = new.id AND head.seq = new.seq - 1 RETURNING head.id AS id";
    SEQS = "SELECT seq, hash FROM head ORDER BY id";
}

#[derive(Debug, Clone, Serialize)]
struct Move {
    id: Uuid,
    seq: i64,
    hash: String,
}

fn step(id: u128, seq: i64) -> Move {
    Move { id: Uuid::from_u128(id), seq, hash: hex(&seq.to_be_bytes()) }
}

/// The batch's one statement: whether each message's row was moved.
async fn swap(tx: &mut Tx, moves: &[Move]) -> Result<Vec<bool>, StoreError> {
    let rows = tx.fetch_all(&SWAP, params![json_rows(moves)?]).await?;
    let moved = rows.iter().map(|row| row.uuid("id")).collect::<Result<std::collections::HashSet<_>, _>>()?;
    Ok(moves.iter().map(|step| moved.contains(&step.id)).collect())
}

async fn heads(store: &Store, count: u128) {
    let rows: Vec<_> = (0..count).map(|id| step(id, 0)).collect();
    let create = async move |tx: &mut Tx| {
        tx.execute(&CREATE, params![]).await?;
        tx.execute_exactly(rows.len() as u64, &ADD, params![json_rows(&rows)?]).await
    };
    store.write(Queue::People, create).await.expect("the heads are made");
}

async fn seqs(store: &Store) -> Vec<i64> {
    let rows = store.read().await.expect("a snapshot").fetch_all(&SEQS, params![]).await.expect("the heads");
    rows.iter()
        .map(|row| {
            let seq = row.i64("seq").expect("a number");
            assert!(seq == 0 || row.blob("hash").expect("bytes") == seq.to_be_bytes());
            seq
        })
        .collect()
}

async fn one_statement_moves_a_whole_batch(test: &TestStore) {
    heads(&test.store, 1000).await;
    let moves: Vec<_> = (0..1000).map(|id| step(id, if id % 10 == 0 { 5 } else { 1 })).collect();
    let moved = test.store.write(Queue::Products, async move |tx: &mut Tx| swap(tx, &moves).await).await;
    let moved = moved.expect("the batch is written");
    assert!((0..1000).all(|id| moved[id] == (id % 10 != 0)));
    assert_eq!(seqs(&test.store).await.iter().sum::<i64>(), 900);
}

async fn a_batch_holds_one_message_per_key_and_answers_each(test: &TestStore) {
    let store = &test.store;
    heads(store, 20).await;
    let sizes = Arc::new(Mutex::new(Vec::new()));
    let sizes_there = Arc::clone(&sizes);
    let run = async move |tx: &mut Tx, moves: &[Move]| {
        sizes_there.lock().expect("nobody panics").push(moves.len());
        let keys: std::collections::HashSet<_> = moves.iter().map(|step| step.id).collect();
        assert_eq!(keys.len(), moves.len(), "one message per key");
        swap(tx, moves).await
    };
    let options = BatchOptions { limit: 16, waiting: 1000 };
    let batcher = store.batcher(Queue::Products, options, |step: &Move| step.id, run);
    // Three steps of each head, handed in at once, in order: each is in a later batch than the one before.
    let submits = (1..=3).flat_map(|seq| (0..20).map(move |id| step(id, seq))).map(|step| batcher.submit(step));
    let results = join_all(submits).await;
    let moved = results.into_iter().filter(|result| *result.as_ref().expect("it is answered")).count();
    if store.engine() == Engine::Sqlite {
        assert_eq!(moved, 60);
        assert_eq!(seqs(store).await, [3; 20]);
        assert!(sizes.lock().expect("nobody panics").len() <= 8, "{sizes:?}");
    } else {
        // Batches run side by side there: a later step may come first and lose. None is applied twice.
        assert_eq!(seqs(store).await.iter().sum::<i64>(), moved as i64);
    }
    assert_eq!(store.stats().messages, 60);
}

async fn a_message_that_fails_takes_none_with_it(test: &TestStore) {
    let store = &test.store;
    heads(store, 40).await;
    let run = async |tx: &mut Tx, moves: &[Move]| {
        let moved = swap(tx, moves).await?;
        match moves.iter().find(|step| step.id.as_u128() == 13) {
            Some(_) => Err(TestError::Refused(13)),
            None => Ok(moved),
        }
    };
    let batcher = store.batcher(Queue::Products, BatchOptions::default(), |step: &Move| step.id, run);
    let results = join_all((0..40).map(|id| batcher.submit(step(id, 1)))).await;
    for (id, result) in results.iter().enumerate() {
        assert_eq!(result.is_err(), id == 13, "{id}: {result:?}");
    }
    assert!(matches!(results[13], Err(TestError::Refused(13))));
    assert_eq!(seqs(store).await.iter().sum::<i64>(), 39);
}

async fn too_many_waiting_messages_are_refused(test: &TestStore) {
    let store = &test.store;
    heads(store, 10).await;
    let options = BatchOptions { limit: 10, waiting: 4 };
    let batcher = store.batcher(Queue::Products, options, |step: &Move| step.id, swap);
    let results = join_all((0..10).map(|id| batcher.submit(step(id, 1)))).await;
    let refused = results.iter().filter(|result| matches!(result, Err(StoreError::Busy { .. }))).count();
    let moved = results.iter().filter(|result| matches!(result, Ok(true))).count();
    assert!(refused > 0 && moved >= 4 && refused + moved == 10, "{results:?}");
    store.close().await;
    let closed = batcher.submit(step(1, 2)).await;
    assert!(matches!(closed, Err(StoreError::Closed)), "{closed:?}");
}
