//! The one error of the service layer.

use tenure_store::StoreError;

use crate::{Problem, ProblemKind};

/// What a use case returns.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a use case did nothing.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The caller asked for something that cannot be: it gets the problem's own words.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// The store failed: it is logged where it is handled, the caller gets a retryable problem.
    #[error("the store failed")]
    Store(#[from] StoreError),
    /// Something that should hold does not; it is logged, the caller gets an operation id.
    #[error("internal: {0}")]
    Internal(&'static str),
}

impl Error {
    /// The problem a caller is shown for this error.
    pub fn problem(&self) -> Problem {
        match self {
            Self::Problem(problem) => problem.clone(),
            Self::Store(StoreError::Busy { .. }) => ProblemKind::Busy.into(),
            Self::Store(StoreError::DiskFull) => ProblemKind::StorageFull.into(),
            Self::Store(_) => ProblemKind::StorageFailed.into(),
            Self::Internal(_) => ProblemKind::Internal.into(),
        }
    }
}

impl From<ProblemKind> for Error {
    fn from(kind: ProblemKind) -> Self {
        Self::Problem(kind.into())
    }
}
