//! A use case as the writer sees it: something to run, perhaps again, and someone who waits for the answer.

use futures::future::{FutureExt as _, LocalBoxFuture};
use tokio::sync::oneshot;

use crate::{StoreError, Tx, error::Fault};

/// A use case in a queue.
pub(crate) trait Op: Send {
    /// Runs it. `true` asks for its changes to be committed; the result is kept for [`Op::answer`].
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, bool>;
    /// Answers: with the result of the last run, or with what kept the transaction from being committed.
    fn answer(self: Box<Self>, failure: Option<Failure>);
    /// Whether nobody waits for the answer any more.
    fn is_abandoned(&self) -> bool;
}

/// Why a transaction was not committed, or not known to be. Each use case of a group gets its own copy.
#[derive(Debug)]
pub(crate) enum Failure {
    Full,
    InDoubt,
    Panicked,
    Poisoned,
    /// The audit lane had moved since its head was cached.
    Stale,
    Other(StoreError),
}

impl Failure {
    pub(crate) fn into_error(self) -> StoreError {
        match self {
            Self::Full => StoreError::DiskFull,
            Self::InDoubt => StoreError::InDoubt,
            Self::Panicked => StoreError::Panicked,
            Self::Poisoned => StoreError::Poisoned,
            Self::Stale => StoreError::Contended,
            Self::Other(error) => error,
        }
    }
}

struct Single<F, T, E> {
    op: F,
    result: Option<Result<T, E>>,
    reply: oneshot::Sender<Result<T, E>>,
}

/// A use case of one caller.
pub(crate) fn single<T, E, F>(op: F, reply: oneshot::Sender<Result<T, E>>) -> Box<dyn Op>
where
    F: AsyncFn(&mut Tx) -> Result<T, E> + Send + 'static,
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    Box::new(Single { op, result: None, reply })
}

impl<F, T, E> Op for Single<F, T, E>
where
    F: AsyncFn(&mut Tx) -> Result<T, E> + Send,
    T: Send,
    E: From<StoreError> + Send,
{
    fn run<'a>(&'a mut self, tx: &'a mut Tx) -> LocalBoxFuture<'a, bool> {
        async move {
            let result = (self.op)(tx).await;
            let commit = result.is_ok();
            self.result = Some(result);
            commit
        }
        .boxed_local()
    }

    fn answer(self: Box<Self>, failure: Option<Failure>) {
        let result = match (failure, self.result) {
            // Its own error says more than what followed from it.
            (Some(_), Some(Err(error))) => Err(error),
            (Some(failure), _) => Err(E::from(failure.into_error())),
            (None, Some(result)) => result,
            (None, None) => Err(E::from(StoreError::Panicked)),
        };
        // The caller may have gone.
        let _ = self.reply.send(result);
    }

    fn is_abandoned(&self) -> bool {
        self.reply.is_closed()
    }
}

/// How one run of a use case ended.
pub(crate) enum Outcome {
    /// Commit it.
    Commit,
    /// Roll it back alone.
    RollBack(Option<Failure>),
    /// The transaction it ran in is lost.
    Void(Fault),
}

/// Runs a use case and judges what it left behind.
pub(crate) async fn run(op: &mut dyn Op, tx: &mut Tx) -> Outcome {
    tx.conn.fault = None;
    let ran = std::panic::AssertUnwindSafe(op.run(tx)).catch_unwind().await;
    match (ran, tx.conn.fault) {
        (_, Some(fault)) if fault > Fault::Statement => Outcome::Void(fault),
        (Err(_), _) => Outcome::RollBack(Some(Failure::Panicked)),
        (Ok(true), None) => Outcome::Commit,
        (Ok(true), Some(_)) => Outcome::RollBack(Some(Failure::Poisoned)),
        (Ok(false), _) => Outcome::RollBack(None),
    }
}
