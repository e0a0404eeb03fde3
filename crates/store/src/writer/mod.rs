//! Writing: bounded queues in front of one task that runs use cases and commits them.
//!
//! The task lives on a thread of its own, so a use case is a plain async closure whose future need not be `Send`. On
//! SQLite it takes what is queued and commits it as one group ([`sqlite`]); on PostgreSQL each use case is a transaction
//! of its own ([`postgres`]).

mod op;
pub(crate) mod postgres;
pub(crate) mod sqlite;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use tokio::sync::{mpsc, oneshot, watch};

pub(crate) use op::{Failure, Op};

use crate::{StoreError, Tx};

/// Who waits for a write; the earlier are served first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Queue {
    /// Someone at a page or a script.
    People,
    /// Products checking in and reporting.
    Products,
    /// Time.
    Jobs,
}

impl Queue {
    const ALL: [Self; 3] = [Self::People, Self::Products, Self::Jobs];
}

impl fmt::Display for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::People => "people",
            Self::Products => "products",
            Self::Jobs => "jobs",
        })
    }
}

/// What a writer has done since it was started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Transactions committed.
    pub commits: u64,
    /// Use cases committed in them; more than `commits` when commits are shared.
    pub ops: u64,
    /// Messages committed in batches.
    pub messages: u64,
    /// Use cases that were rolled back, by their own error or the engine's.
    pub failed: u64,
    /// Runs beyond the first: singly after a failed group, or because PostgreSQL asked for it.
    pub reruns: u64,
    /// Use cases that were turned away because their queue was full.
    pub busy: u64,
}

#[derive(Default)]
pub(crate) struct Counters {
    commits: AtomicU64,
    ops: AtomicU64,
    messages: AtomicU64,
    failed: AtomicU64,
    reruns: AtomicU64,
    busy: AtomicU64,
    full: AtomicBool,
}

impl Counters {
    fn committed(&self, ops: u64) {
        self.commits.fetch_add(1, Ordering::Relaxed);
        self.ops.fetch_add(ops, Ordering::Relaxed);
        self.full.store(false, Ordering::Relaxed);
    }
    fn failed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }
    fn full(&self) {
        self.full.store(true, Ordering::Relaxed);
    }
    fn rerun(&self) {
        self.reruns.fetch_add(1, Ordering::Relaxed);
    }
}

/// The sending side of a writer task.
pub(crate) struct Writer {
    queues: [mpsc::Sender<Box<dyn Op>>; 3],
    closing: watch::Sender<bool>,
    closed: watch::Receiver<bool>,
    counters: Arc<Counters>,
}

/// The receiving side.
pub(crate) struct Inbox {
    queues: [mpsc::Receiver<Box<dyn Op>>; 3],
    closing: watch::Receiver<bool>,
    closed: watch::Sender<bool>,
    counters: Arc<Counters>,
}

fn channel(capacity: usize) -> (Writer, Inbox) {
    let pairs = Queue::ALL.map(|_| mpsc::channel(capacity));
    let (senders, receivers): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
    let (closing, closing_seen) = watch::channel(false);
    let (closed, closed_seen) = watch::channel(false);
    let counters = Arc::new(Counters::default());
    let three = "a queue for each of three";
    let writer = Writer {
        queues: senders.try_into().expect(three),
        closing,
        closed: closed_seen,
        counters: Arc::clone(&counters),
    };
    let inbox = Inbox {
        queues: receivers.try_into().unwrap_or_else(|_| unreachable!("{three}")),
        closing: closing_seen,
        closed,
        counters,
    };
    (writer, inbox)
}

impl Writer {
    pub(crate) async fn run<T, E, F>(&self, queue: Queue, op: F) -> Result<T, E>
    where
        F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.send(queue, op::single(op, reply))?;
        answer.await.unwrap_or_else(|_| Err(E::from(StoreError::Panicked)))
    }

    pub(crate) fn send(&self, queue: Queue, op: Box<dyn Op>) -> Result<(), StoreError> {
        // A refused use case is dropped here, and its caller with it.
        self.queues[queue as usize].try_send(op).map_err(|_| {
            self.counters.busy.fetch_add(1, Ordering::Relaxed);
            self.refusal(queue)
        })
    }

    /// Why a use case was not taken.
    pub(crate) fn refusal(&self, queue: Queue) -> StoreError {
        if self.queues[queue as usize].is_closed() { StoreError::Closed } else { StoreError::Busy { queue } }
    }

    /// How many use cases wait in each queue.
    pub(crate) fn waiting(&self) -> [(Queue, usize); 3] {
        Queue::ALL.map(|queue| {
            let sender = &self.queues[queue as usize];
            (queue, sender.max_capacity() - sender.capacity())
        })
    }

    /// Counts the messages of a committed batch.
    pub(crate) fn batched(&self, messages: u64) {
        self.counters.messages.fetch_add(messages, Ordering::Relaxed);
    }

    /// Whether the last write that reached the disk found it full.
    pub(crate) fn is_full(&self) -> bool {
        self.counters.full.load(Ordering::Relaxed)
    }

    pub(crate) fn stats(&self) -> Stats {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let counters = &self.counters;
        Stats {
            commits: of(&counters.commits),
            ops: of(&counters.ops),
            messages: of(&counters.messages),
            failed: of(&counters.failed),
            reruns: of(&counters.reruns),
            busy: of(&counters.busy),
        }
    }

    pub(crate) async fn close(&self) {
        self.closing.send_replace(true);
        let mut closed = self.closed.clone();
        // An error says that the task is gone, which is what is waited for.
        let _ = closed.wait_for(|closed| *closed).await;
    }
}

impl Inbox {
    /// The next use case, people first; `None` once the store is closed and all that was queued is taken.
    async fn next(&mut self) -> Option<Box<dyn Op>> {
        loop {
            if let Some(op) = self.queued() {
                return Some(op);
            }
            let [people, products, jobs] = &mut self.queues;
            let op = tokio::select! {
                biased;
                op = people.recv() => op,
                op = products.recv() => op,
                op = jobs.recv() => op,
                _ = self.closing.wait_for(|closing| *closing) => None,
            };
            if op.is_some() {
                return op;
            }
            self.queues.iter_mut().for_each(mpsc::Receiver::close);
            if self.queues.iter().all(mpsc::Receiver::is_empty) {
                return None;
            }
        }
    }

    fn queued(&mut self) -> Option<Box<dyn Op>> {
        self.queues.iter_mut().find_map(|queue| queue.try_recv().ok())
    }
}

/// Starts the task's thread. It has a runtime of its own, so that it outlives no store and depends on no caller's.
fn spawn<F>(name: &str, io: bool, task: impl FnOnce() -> F + Send + 'static)
where
    F: Future<Output = ()>,
{
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    // Without I/O of its own the thread parks on a futex, which wakes faster than a poll.
    if io {
        runtime.enable_all();
    }
    let runtime = runtime.build().expect("a runtime can be made");
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(move || runtime.block_on(task()))
        .expect("a thread can be started");
}
