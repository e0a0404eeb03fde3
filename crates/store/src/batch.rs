//! Many small messages, few statements: what waits is taken as one batch, in one use case.

use std::{
    collections::{HashSet, VecDeque},
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::future::{FutureExt as _, LocalBoxFuture};
use tokio::sync::oneshot;

use crate::{
    Queue, Store, StoreError, Tx,
    writer::{Failure, Op},
};

/// Bounds of a [`Batcher`].
#[derive(Debug, Clone, Copy)]
pub struct BatchOptions {
    /// Messages in one batch.
    pub limit: usize,
    /// Messages that may wait; one more gets [`StoreError::Busy`].
    pub waiting: usize,
}

impl Default for BatchOptions {
    fn default() -> Self {
        Self { limit: 512, waiting: 8192 }
    }
}

/// Collects messages and runs one closure over whatever waits, as one use case of a group commit: no lingering, no task
/// of its own. Made by [`Store::batcher`].
pub struct Batcher<M, R, E> {
    shared: Arc<Shared<M, R, E>>,
}

impl<M, R, E> Clone for Batcher<M, R, E> {
    fn clone(&self) -> Self {
        Self { shared: Arc::clone(&self.shared) }
    }
}

struct Shared<M, R, E> {
    store: Store,
    queue: Queue,
    options: BatchOptions,
    waiting: Mutex<Waiting<M, R, E>>,
    work: Box<dyn Work<M, R, E>>,
}

struct Waiting<M, R, E> {
    messages: VecDeque<(M, Reply<R, E>)>,
    /// An [`Op`] that will take them is in the writer's queue.
    scheduled: bool,
}

type Reply<R, E> = oneshot::Sender<Result<R, E>>;

/// The caller's closure and key, without their types.
trait Work<M, R, E>: Send + Sync {
    fn run<'a>(&'a self, tx: &'a mut Tx, messages: &'a [M]) -> LocalBoxFuture<'a, Result<Vec<R>, E>>;
    /// Moves at most `limit` messages of different keys out of `from`, keeping the order of those that stay.
    fn take(&self, from: &mut VecDeque<(M, Reply<R, E>)>, limit: usize) -> (Vec<M>, Vec<Reply<R, E>>);
}

struct WorkOf<F, K> {
    run: F,
    key: K,
}

impl<M, R, E, F, K, Q> Work<M, R, E> for WorkOf<F, K>
where
    F: AsyncFn(&mut Tx, &[M]) -> Result<Vec<R>, E> + Send + Sync,
    K: Fn(&M) -> Q + Send + Sync,
    Q: Eq + Hash,
{
    fn run<'a>(&'a self, tx: &'a mut Tx, messages: &'a [M]) -> LocalBoxFuture<'a, Result<Vec<R>, E>> {
        async move { (self.run)(tx, messages).await }.boxed_local()
    }

    fn take(&self, from: &mut VecDeque<(M, Reply<R, E>)>, limit: usize) -> (Vec<M>, Vec<Reply<R, E>>) {
        let mut keys = HashSet::new();
        let (mut messages, mut replies) = (Vec::new(), Vec::new());
        let mut left = VecDeque::new();
        while messages.len() < limit {
            let Some((message, reply)) = from.pop_front() else { break };
            if keys.insert((self.key)(&message)) {
                messages.push(message);
                replies.push(reply);
            } else {
                left.push_back((message, reply));
            }
        }
        left.append(from);
        *from = left;
        (messages, replies)
    }
}

impl Store {
    /// A batcher whose batches are use cases of `queue`. `key` names whom a message is of: a batch holds at most one
    /// message per key (C9). `run` answers each message at its place; it may run more than once, and when it fails for
    /// a batch it is run for each of the batch's messages alone.
    pub fn batcher<M, R, E, Q, K, F>(&self, queue: Queue, options: BatchOptions, key: K, run: F) -> Batcher<M, R, E>
    where
        M: Send + 'static,
        R: Send + 'static,
        E: From<StoreError> + Send + 'static,
        Q: Eq + Hash,
        K: Fn(&M) -> Q + Send + Sync + 'static,
        F: AsyncFn(&mut Tx, &[M]) -> Result<Vec<R>, E> + Send + Sync + 'static,
    {
        let waiting = Mutex::new(Waiting { messages: VecDeque::new(), scheduled: false });
        let work = Box::new(WorkOf { run, key });
        Batcher { shared: Arc::new(Shared { store: self.clone(), queue, options, waiting, work }) }
    }
}

impl<M, R, E> Batcher<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    /// Hands a message in and waits until the batch it went with is durable.
    pub async fn submit(&self, message: M) -> Result<R, E> {
        let (reply, answer) = oneshot::channel();
        let shared = &self.shared;
        let schedule = {
            let mut waiting = shared.lock();
            if waiting.messages.len() >= shared.options.waiting {
                return Err(E::from(StoreError::Busy { queue: shared.queue }));
            }
            waiting.messages.push_back((message, reply));
            !std::mem::replace(&mut waiting.scheduled, true)
        };
        if schedule {
            shared.schedule();
        }
        answer.await.unwrap_or_else(|_| Err(E::from(StoreError::Panicked)))
    }
}

impl<M, R, E> Shared<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn schedule(self: &Arc<Self>) {
        self.send(Batch { shared: Arc::clone(self), state: State::Queued, result: None });
    }

    fn send(self: &Arc<Self>, batch: Batch<M, R, E>) {
        // What cannot be queued is dropped, and dropping it answers.
        let _ = self.store.writer().send(self.queue, Box::new(batch));
    }
}

impl<M, R, E> Shared<M, R, E> {
    fn lock(&self) -> MutexGuard<'_, Waiting<M, R, E>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch in the writer's queue. It takes its messages when it is run, so that all that came meanwhile goes with it.
struct Batch<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    shared: Arc<Shared<M, R, E>>,
    state: State<M, R, E>,
    result: Option<Result<Vec<R>, E>>,
}

enum State<M, R, E> {
    Queued,
    Taken(Vec<M>, Vec<Reply<R, E>>),
    Answered,
}

impl<M, R, E> State<M, R, E> {
    fn messages(&self) -> &[M] {
        match self {
            Self::Taken(messages, _) => messages,
            Self::Queued | Self::Answered => &[],
        }
    }
}

impl<M, R, E> Batch<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn take(&mut self) {
        if !matches!(self.state, State::Queued) {
            return;
        }
        let more = {
            let mut waiting = self.shared.lock();
            let (messages, replies) = self.shared.work.take(&mut waiting.messages, self.shared.options.limit);
            self.state = State::Taken(messages, replies);
            waiting.scheduled = !waiting.messages.is_empty();
            waiting.scheduled
        };
        if more {
            self.shared.schedule();
        }
    }

    /// Hands each message of a failed batch in alone.
    fn split(&self, messages: Vec<M>, replies: Vec<Reply<R, E>>) {
        for (message, reply) in messages.into_iter().zip(replies) {
            let state = State::Taken(vec![message], vec![reply]);
            self.shared.send(Self { shared: Arc::clone(&self.shared), state, result: None });
        }
    }
}

impl<M, R, E> Op for Batch<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, bool> {
        async move {
            self.take();
            let messages = self.state.messages();
            let result = self.shared.work.run(tx, messages).await.and_then(|answers| {
                if answers.len() == messages.len() {
                    return Ok(answers);
                }
                Err(E::from(StoreError::Corrupt { what: "a batch with other answers than messages" }))
            });
            let commit = result.is_ok();
            self.result = Some(result);
            commit
        }
        .boxed_local()
    }

    fn answer(mut self: Box<Self>, failure: Option<Failure>) {
        let State::Taken(messages, replies) = std::mem::replace(&mut self.state, State::Answered) else { return };
        let refuse = |error: fn() -> StoreError, replies: Vec<Reply<R, E>>| {
            for reply in replies {
                let _ = reply.send(Err(E::from(error())));
            }
        };
        match (failure, self.result.take()) {
            (None, Some(Ok(answers))) => {
                self.shared.store.writer().batched(answers.len() as u64);
                replies.into_iter().zip(answers).for_each(|(reply, answer)| drop(reply.send(Ok(answer))));
            }
            // Nothing is run again that may have been committed, or when there is no room for any of it.
            (Some(Failure::InDoubt), _) => refuse(|| StoreError::InDoubt, replies),
            (Some(Failure::Full), _) => refuse(|| StoreError::DiskFull, replies),
            _ if messages.len() > 1 => self.split(messages, replies),
            (failure, result) => {
                let error = match result {
                    Some(Err(error)) => error,
                    _ => E::from(failure.unwrap_or(Failure::Panicked).into_error()),
                };
                replies.into_iter().zip([error]).for_each(|(reply, error)| drop(reply.send(Err(error))));
            }
        }
    }

    fn is_abandoned(&self) -> bool {
        match &self.state {
            State::Taken(_, replies) => replies.iter().all(oneshot::Sender::is_closed),
            State::Queued | State::Answered => false,
        }
    }
}

impl<M, R, E> Drop for Batch<M, R, E>
where
    M: Send + 'static,
    R: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    /// A batch that was never run answers those it would have taken: the queue was full, or the store is closed.
    fn drop(&mut self) {
        let replies = match std::mem::replace(&mut self.state, State::Answered) {
            State::Taken(_, replies) => replies,
            State::Queued => {
                let mut waiting = self.shared.lock();
                waiting.scheduled = false;
                waiting.messages.drain(..).map(|(_, reply)| reply).collect()
            }
            State::Answered => return,
        };
        for reply in replies {
            let _ = reply.send(Err(E::from(self.shared.store.writer().refusal(self.shared.queue))));
        }
    }
}
