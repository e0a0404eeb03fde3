//! Writing: one use case's view of the transaction it runs in.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use tenure_core::{Rng, Timestamp};

use crate::{
    Conn, Statement, StoreError, Val,
    audit::{AuditEntry, Hash},
    outbox::Message,
};

/// What a use case writes through. Rows go to the engine at once; audit entries, ingest leaves and outbox messages wait
/// and are the transaction's last statements, so that the audit lane is always its last lock.
pub struct Tx {
    pub(crate) conn: Conn,
    pub(crate) pending: Pending,
    pub(crate) rng: Arc<dyn Rng>,
}

/// What the transaction writes last.
#[derive(Default)]
pub(crate) struct Pending {
    pub(crate) entries: Vec<AuditEntry>,
    pub(crate) leaves: Vec<Hash>,
    pub(crate) leaves_at: Option<Timestamp>,
    pub(crate) messages: Vec<Message>,
}

/// How much was pending when a use case began.
#[derive(Clone, Copy)]
pub(crate) struct Mark {
    entries: usize,
    leaves: usize,
    leaves_at: Option<Timestamp>,
    messages: usize,
}

impl Pending {
    pub(crate) fn mark(&self) -> Mark {
        Mark {
            entries: self.entries.len(),
            leaves: self.leaves.len(),
            leaves_at: self.leaves_at,
            messages: self.messages.len(),
        }
    }

    /// Forgets what a rolled-back use case had added (E10).
    pub(crate) fn back_to(&mut self, mark: Mark) {
        self.entries.truncate(mark.entries);
        self.leaves.truncate(mark.leaves);
        self.leaves_at = mark.leaves_at;
        self.messages.truncate(mark.messages);
    }
}

impl Tx {
    pub(crate) fn new(conn: Conn, rng: Arc<dyn Rng>) -> Self {
        Self { conn, pending: Pending::default(), rng }
    }

    /// Runs a statement that returns no rows; gives the number of affected rows.
    pub async fn execute(&mut self, statement: &Statement, params: Vec<Val>) -> Result<u64, StoreError> {
        self.conn.run(statement, params).await
    }

    /// Runs a statement that must affect exactly one row; [`StoreError::Affected`] otherwise.
    pub async fn execute_one(&mut self, statement: &Statement, params: Vec<Val>) -> Result<(), StoreError> {
        self.execute_exactly(1, statement, params).await
    }

    /// Runs a statement that must affect exactly `expected` rows; [`StoreError::Affected`] otherwise.
    pub async fn execute_exactly(
        &mut self,
        expected: u64,
        statement: &Statement,
        params: Vec<Val>,
    ) -> Result<(), StoreError> {
        let actual = self.conn.run(statement, params).await?;
        if actual == expected {
            return Ok(());
        }
        Err(StoreError::Affected { statement: statement.name, expected, actual })
    }

    /// Adds an action entry to the audit chain: what a person, token, job or verdict changed.
    pub fn audit(&mut self, entry: AuditEntry) {
        self.pending.entries.push(entry);
    }

    /// Adds a leaf (see [`audit::leaf`](crate::audit::leaf)) to the commit's one ingest entry. `at` is when the request
    /// was received; the entry bears the latest.
    pub fn ingest_leaf(&mut self, leaf: Hash, at: Timestamp) {
        self.pending.leaves.push(leaf);
        self.pending.leaves_at = self.pending.leaves_at.max(Some(at));
    }

    /// Adds a message to the outbox. Its number within its aggregate is given when the transaction is sealed.
    pub fn outbox(&mut self, message: Message) {
        self.pending.messages.push(message);
    }

    /// Chance, for ids and nonces that are made inside the transaction.
    pub fn rng(&self) -> Arc<dyn Rng> {
        Arc::clone(&self.rng)
    }
}

impl Deref for Tx {
    type Target = Conn;
    fn deref(&self) -> &Conn {
        &self.conn
    }
}
impl DerefMut for Tx {
    fn deref_mut(&mut self) -> &mut Conn {
        &mut self.conn
    }
}
