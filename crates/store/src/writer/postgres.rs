//! PostgreSQL: each use case is a transaction of its own; replicas and connections share the server's WAL flushes.

use std::{sync::Arc, time::Duration};

use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tenure_core::Rng;
use tokio::{sync::Semaphore, task::LocalSet};

use super::{
    Counters, Failure, Inbox, Op, Writer, channel,
    op::{Outcome, run},
    spawn,
};
use crate::{
    Conn, StoreError, Tx,
    audit::{SealError, seal},
    conn::Inner,
    error::{EngineError, Fault},
};

/// Runs of a transaction that PostgreSQL asks to be run again (40001, 40P01).
const RUNS: u32 = 5;

/// Starts the task that runs write transactions, at most `connections` at a time.
pub(crate) fn start(
    pool: PgPoolOptions,
    connect: PgConnectOptions,
    connections: u32,
    pooled: bool,
    rng: Arc<dyn Rng>,
    capacity: usize,
) -> Writer {
    let (writer, inbox) = channel(capacity);
    spawn("tenure-writer", true, move || async move {
        let pool = pool.connect_lazy_with(connect);
        let tasks = LocalSet::new();
        tasks.run_until(serve(pool, connections, pooled, rng, inbox)).await;
    });
    writer
}

async fn serve(pool: PgPool, connections: u32, pooled: bool, rng: Arc<dyn Rng>, mut inbox: Inbox) {
    let free = Arc::new(Semaphore::new(connections as usize));
    loop {
        // A connection first: while all are busy the queues keep their order.
        let Ok(permit) = Arc::clone(&free).acquire_owned().await else { break };
        let Some(op) = inbox.next().await else { break };
        let (pool, rng, counters) = (pool.clone(), Arc::clone(&rng), Arc::clone(&inbox.counters));
        tokio::task::spawn_local(async move {
            if !op.is_abandoned() {
                finish(op, &pool, pooled, rng, &counters).await;
            }
            drop(permit);
        });
    }
    // All are back: nothing is at work any more.
    let _ = free.acquire_many(connections).await;
    pool.close().await;
    inbox.closed.send_replace(true);
}

async fn finish(mut op: Box<dyn Op>, pool: &PgPool, pooled: bool, rng: Arc<dyn Rng>, counters: &Counters) {
    for attempt in 1..=RUNS {
        match attempt_once(&mut *op, pool, pooled, &rng).await {
            Attempt::Committed => {
                counters.committed(1);
                return op.answer(None);
            }
            Attempt::Again if attempt < RUNS => {
                counters.rerun();
                // Those that met here must not meet again: up to 2, 4, 8, 16 ms.
                back_off(Duration::from_micros(rng.below(1000 << attempt))).await;
            }
            Attempt::Again => break,
            Attempt::Failed(failure) => {
                if matches!(failure, Some(Failure::Full)) {
                    counters.full();
                }
                counters.failed();
                return op.answer(failure);
            }
        }
    }
    counters.failed();
    op.answer(Some(Failure::Other(StoreError::Contended)));
}

#[expect(clippy::disallowed_methods, reason = "milliseconds of the machine's time, which no rule sees")]
async fn back_off(wait: Duration) {
    tokio::time::sleep(wait).await;
}

enum Attempt {
    Committed,
    Again,
    Failed(Option<Failure>),
}

async fn attempt_once(op: &mut dyn Op, pool: &PgPool, pooled: bool, rng: &Arc<dyn Rng>) -> Attempt {
    let tx = match pool.begin().await {
        Ok(tx) => tx,
        Err(error) => return Attempt::Failed(Some(Failure::Other(StoreError::of_acquiring(error)))),
    };
    let mut tx = Tx::new(Conn::through(pooled, Inner::PgTx(tx)), Arc::clone(rng));
    match run(op, &mut tx).await {
        Outcome::Commit => {}
        Outcome::RollBack(failure) => return Attempt::Failed(failure),
        Outcome::Void(Fault::Retry) => return Attempt::Again,
        Outcome::Void(Fault::Full) => return Attempt::Failed(Some(Failure::Full)),
        Outcome::Void(_) => return Attempt::Failed(Some(Failure::Poisoned)),
    }
    if let Err(error) = seal(&mut tx, None).await {
        return match tx.conn.fault {
            Some(Fault::Retry) => Attempt::Again,
            _ => Attempt::Failed(Some(match error {
                SealError::Stale => Failure::Stale,
                SealError::Store(StoreError::DiskFull) => Failure::Full,
                SealError::Store(error) => Failure::Other(error),
            })),
        };
    }
    let Inner::PgTx(tx) = tx.conn.inner else { unreachable!("it began as one") };
    match tx.commit().await.map_err(EngineError::from) {
        Ok(()) => Attempt::Committed,
        Err(error) => match Fault::of(&error) {
            Fault::Retry => Attempt::Again,
            // The connection broke between COMMIT and its answer.
            Fault::Lost => Attempt::Failed(Some(Failure::InDoubt)),
            _ => Attempt::Failed(Some(Failure::Other(StoreError::of_statement("COMMIT", error)))),
        },
    }
}
