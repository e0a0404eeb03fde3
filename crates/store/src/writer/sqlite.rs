//! Group commit: what is queued, one transaction, a savepoint each, one fsync, then the answers.

use std::sync::Arc;

use tenure_core::Rng;

use super::{
    Failure, Inbox, Op, Writer, channel,
    op::{Outcome, run},
    spawn,
};
use crate::{
    Conn, StoreError, Tx,
    audit::{Head, SealError, seal},
    conn::Inner,
    error::{EngineError, Fault},
    local::Local,
    tx::Pending,
};

/// Use cases in one group: bounds how long the first waits for the last. A batch of products is one use case.
const GROUP: usize = 64;

/// Starts the one task that writes to the file.
pub(crate) fn start(local: Local, rng: Arc<dyn Rng>, capacity: usize) -> Writer {
    let (writer, inbox) = channel(capacity);
    let tx = Tx::new(Conn::new(Inner::Writer(Box::new(local))), rng);
    spawn("tenure-writer", false, move || Task { tx, inbox, head: None }.serve());
    writer
}

struct Task {
    tx: Tx,
    inbox: Inbox,
    /// The audit lane's end as of the last COMMIT; `None` when it must be read again (E10).
    head: Option<Head>,
}

impl Task {
    async fn serve(mut self) {
        let mut group = Vec::with_capacity(GROUP);
        while let Some(first) = self.inbox.next().await {
            group.push(first);
            self.fill(&mut group);
            group.retain(|op| !op.is_abandoned());
            self.commit_group(&mut group).await;
        }
        if let Inner::Writer(local) = self.tx.conn.inner
            && let Err(error) = local.close()
        {
            tracing::warn!(error = &error as &dyn std::error::Error, "closing the database failed");
        }
        self.inbox.closed.send_replace(true);
    }

    /// Takes what is queued, without waiting for more: people first, and at least one of each kind that waits.
    fn fill(&mut self, group: &mut Vec<Box<dyn Op>>) {
        for queue in &mut self.inbox.queues {
            let mut taken = 0;
            while taken == 0 || group.len() < GROUP {
                let Ok(op) = queue.try_recv() else { break };
                group.push(op);
                taken += 1;
            }
        }
    }

    /// Commits a group; if that fails, each use case by itself.
    async fn commit_group(&mut self, group: &mut Vec<Box<dyn Op>>) {
        match self.attempt(group).await {
            Ok(failures) => {
                group.drain(..).zip(failures).for_each(|(op, failure)| op.answer(failure));
                return;
            }
            Err(failure) if group.len() == 1 => {
                self.inbox.counters.failed();
                return group.drain(..).zip([failure]).for_each(|(op, failure)| op.answer(Some(failure)));
            }
            Err(_) => {}
        }
        for mut op in group.drain(..) {
            self.inbox.counters.rerun();
            let failure = match self.attempt(std::slice::from_mut(&mut op)).await {
                Ok(mut failures) => failures.pop().flatten(),
                Err(failure) => {
                    self.inbox.counters.failed();
                    Some(failure)
                }
            };
            op.answer(failure);
        }
    }

    /// One transaction over the group, and a second when the cached audit head turned out to be old. `Ok` with each use
    /// case's own failure when all that can be is durable; `Err` when nothing was committed.
    async fn attempt(&mut self, group: &mut [Box<dyn Op>]) -> Result<Vec<Option<Failure>>, Failure> {
        match self.attempt_once(group).await {
            Err(Failure::Stale) => self.attempt_once(group).await,
            other => other,
        }
    }

    async fn attempt_once(&mut self, group: &mut [Box<dyn Op>]) -> Result<Vec<Option<Failure>>, Failure> {
        // Read again after any failure (E10).
        let cached = self.head.take();
        let mut failures = Vec::with_capacity(group.len());
        match self.transact(group, &mut failures, cached).await {
            Ok(head) => {
                self.head = head;
                Ok(failures)
            }
            Err(failure) => {
                if matches!(failure, Failure::Full) {
                    self.inbox.counters.full();
                }
                self.tx.pending = Pending::default();
                // SQLite may have rolled back already; then this says so, and that is as well.
                let _ = self.exec("ROLLBACK");
                Err(failure)
            }
        }
    }

    async fn transact(
        &mut self,
        group: &mut [Box<dyn Op>],
        failures: &mut Vec<Option<Failure>>,
        cached: Option<Head>,
    ) -> Result<Option<Head>, Failure> {
        // A group of one needs no savepoint: the transaction is its own.
        let alone = group.len() == 1;
        self.exec("BEGIN IMMEDIATE")?;
        if !alone {
            self.exec("SAVEPOINT op")?;
        }
        let (mut done, last) = (0, group.len().saturating_sub(1));
        for (at, op) in group.iter_mut().enumerate() {
            let mark = self.tx.pending.mark();
            match run(&mut **op, &mut self.tx).await {
                Outcome::Commit => {
                    done += 1;
                    failures.push(None);
                    if at < last {
                        self.exec("RELEASE op")?;
                        self.exec("SAVEPOINT op")?;
                    }
                }
                Outcome::RollBack(failure) => {
                    self.inbox.counters.failed();
                    failures.push(failure);
                    self.tx.pending.back_to(mark);
                    if !alone {
                        self.exec("ROLLBACK TO op")?;
                    }
                }
                Outcome::Void(Fault::Full) => return Err(Failure::Full),
                Outcome::Void(_) => return Err(Failure::Poisoned),
            }
        }
        if done == 0 {
            self.exec("ROLLBACK")?;
            return Ok(cached);
        }
        self.tx.conn.fault = None;
        let head = seal(&mut self.tx, cached).await.map_err(|error| match error {
            SealError::Stale => Failure::Stale,
            SealError::Store(StoreError::DiskFull) => Failure::Full,
            SealError::Store(error) => Failure::Other(error),
        })?;
        self.commit()?;
        self.inbox.counters.committed(done);
        Ok(head)
    }

    fn commit(&mut self) -> Result<(), Failure> {
        let Err(error) = self.raw("COMMIT") else { return Ok(()) };
        if Fault::is_io(&error) {
            // An fsync that failed once may succeed the next time without having written: nothing this process holds
            // can be trusted any more (E9).
            tracing::error!(error = &error as &dyn std::error::Error, "i/o error at commit: the process ends");
            std::process::abort();
        }
        Err(failure("COMMIT", error))
    }

    fn exec(&mut self, sql: &'static str) -> Result<(), Failure> {
        self.raw(sql).map_err(|error| failure(sql, error))
    }

    fn raw(&mut self, sql: &'static str) -> Result<(), EngineError> {
        let Inner::Writer(local) = &mut self.tx.conn.inner else {
            unreachable!("the writer has the writer's connection")
        };
        local.run(sql, &[]).map(|_| ()).map_err(EngineError::from)
    }
}

fn failure(sql: &'static str, error: EngineError) -> Failure {
    match Fault::of(&error) {
        Fault::Full => Failure::Full,
        _ => Failure::Other(StoreError::of_statement(sql, error)),
    }
}
