//! The worker that decides check-ins in batches: bounded queue, take what is queued, one transaction.

use std::sync::{
    Arc, Weak,
    atomic::{AtomicU64, Ordering},
};

use tenure_core::InstallationId;
use tenure_store::Queue;
use tokio::sync::{mpsc, oneshot};

use super::{
    batch::{self, Taken},
    verify::Message,
};
use crate::{Error, ProblemKind, Result, Service, context::ServiceParts};

/// How many check-ins may wait per shard; more are told to come back later.
const QUEUE: usize = 4096;
/// How many are decided in one transaction: it must stay within 20 ms.
const BATCH: usize = 256;

struct Waiting {
    message: Arc<Message>,
    reply: oneshot::Sender<Result<Taken>>,
}

/// The way in for verified check-ins.
pub struct Ingest {
    shards: Vec<mpsc::Sender<Waiting>>,
    sizes: BatchSizes,
}

/// Sizes of batches by powers of two: how many had at most 1, 2, 4 … [`BATCH`] messages.
#[derive(Default)]
struct BatchSizes {
    counts: [AtomicU64; SIZES],
    messages: AtomicU64,
}

/// Powers of two from 1 to [`BATCH`].
const SIZES: usize = BATCH.ilog2() as usize + 1;

/// How large the batches were since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IngestSizes {
    /// Batches by size: `counts[i]` had more than `2^(i-1)` and at most `2^i` messages.
    pub counts: [u64; SIZES],
    /// Messages in all of them.
    pub messages: u64,
}

/// The workers' ends, to be started once the service exists.
pub(crate) struct Workers(Vec<mpsc::Receiver<Waiting>>);

impl Ingest {
    /// Queues for `shards` workers: one on SQLite, which has one writer; at most four on PostgreSQL.
    pub(crate) fn new(shards: usize) -> (Self, Workers) {
        let (senders, receivers) = (0..shards.max(1)).map(|_| mpsc::channel(QUEUE)).unzip();
        (Self { shards: senders, sizes: BatchSizes::default() }, Workers(receivers))
    }

    /// How many check-ins wait now.
    pub fn waiting(&self) -> usize {
        self.shards.iter().map(|shard| shard.max_capacity() - shard.capacity()).sum()
    }

    /// How large the batches were since the start.
    pub fn sizes(&self) -> IngestSizes {
        let of = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        IngestSizes { counts: std::array::from_fn(|at| of(&self.sizes.counts[at])), messages: of(&self.sizes.messages) }
    }

    fn count(&self, batch: usize) {
        let at = batch.max(1).next_power_of_two().ilog2() as usize;
        self.sizes.counts[at.min(SIZES - 1)].fetch_add(1, Ordering::Relaxed);
        self.sizes.messages.fetch_add(batch as u64, Ordering::Relaxed);
    }

    /// Hands a message in and waits until it is decided and durable.
    pub(super) async fn take(&self, message: Message) -> Result<Taken> {
        let shard = message.request.ins.uuid().as_bytes()[15] as usize % self.shards.len();
        let (reply, answer) = oneshot::channel();
        self.shards[shard]
            .try_send(Waiting { message: Arc::new(message), reply })
            .map_err(|_| Error::from(ProblemKind::Busy))?;
        answer.await.unwrap_or_else(|_| Err(Message::lost()))
    }
}

impl Workers {
    /// Starts the workers. They end when the service is dropped.
    pub(crate) fn start(self, service: &Arc<ServiceParts>) {
        for receiver in self.0 {
            tokio::spawn(work(Arc::downgrade(service), receiver));
        }
    }
}

async fn work(service: Weak<ServiceParts>, mut queue: mpsc::Receiver<Waiting>) {
    let mut waiting: Vec<Waiting> = Vec::with_capacity(BATCH);
    loop {
        if waiting.is_empty() && queue.recv_many(&mut waiting, BATCH).await == 0 {
            return;
        }
        // Whatever came meanwhile joins without waiting for more: lingering only adds latency.
        while waiting.len() < BATCH
            && let Ok(next) = queue.try_recv()
        {
            waiting.push(next);
        }
        let Some(parts) = service.upgrade() else { return };
        let (batch, later) = one_per_installation(std::mem::take(&mut waiting));
        waiting = later;
        decide(&Service::from_parts(parts), batch).await;
    }
}

/// A batch holds at most one message of an installation; a second one waits for the next batch (C9).
fn one_per_installation(waiting: Vec<Waiting>) -> (Vec<Waiting>, Vec<Waiting>) {
    let mut seen: std::collections::HashSet<InstallationId> = std::collections::HashSet::new();
    waiting.into_iter().partition(|each| seen.insert(each.message.request.ins))
}

async fn decide(service: &Service, batch: Vec<Waiting>) {
    service.ingest().count(batch.len());
    let messages: Arc<Vec<Arc<Message>>> = Arc::new(batch.iter().map(|each| Arc::clone(&each.message)).collect());
    match decide_together(service, messages).await {
        Ok(taken) => {
            for (waiting, taken) in batch.into_iter().zip(taken) {
                // A client that went away has its answer waiting: it will ask again.
                let _ = waiting.reply.send(taken);
            }
        }
        Err(error) if batch.len() == 1 => {
            // Its own error: a full disk is told as one, and asked again later (E9). It is logged where it is answered.
            let mut error = Some(error);
            for waiting in batch {
                let _ = waiting.reply.send(Err(error.take().unwrap_or_else(Message::lost)));
            }
        }
        Err(error) => {
            // One message must not fail the others: each is decided alone.
            tracing::warn!(error = ?error, batch.size = batch.len(), "a batch failed; deciding one by one");
            for waiting in batch {
                let alone = Arc::new(vec![Arc::clone(&waiting.message)]);
                let taken = match decide_together(service, alone).await {
                    Ok(mut taken) => taken.pop().unwrap_or_else(|| Err(Message::lost())),
                    Err(error) => Err(error),
                };
                let _ = waiting.reply.send(taken);
            }
        }
    }
}

async fn decide_together(service: &Service, messages: Arc<Vec<Arc<Message>>>) -> Result<Vec<Result<Taken>>> {
    let for_write = service.clone();
    service.store().write(Queue::Products, async move |tx| batch::decide(&for_write, tx, &messages).await).await
}
