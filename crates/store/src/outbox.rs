//! Messages to the outside, written with the change they tell of and sent later by a job.
//!
//! Delivery is at least once by contract: an id that never changes, a number per aggregate, and nothing that changes our
//! own state depends on it (X7).

use std::collections::BTreeMap;

use serde::Serialize;
use tenure_core::{MessageId, Timestamp};

use crate::{Conn, Row, StoreError, Tx, json_rows, params, statement::statements};

/// At most this many messages are claimed or listed at once.
pub const MAX_MESSAGES: i64 = 500;

statements! {
    /// Takes as many numbers of each aggregate as it has new messages; rows are locked in the aggregates' order.
    NUMBER = "INSERT INTO outbox_number (aggregate, n) SELECT value->>0, value->>1 FROM json_each($1) WHERE true \
        ON CONFLICT (aggregate) DO UPDATE SET n = outbox_number.n + excluded.n RETURNING aggregate, n",
        pg "INSERT INTO outbox_number (aggregate, n) SELECT x->>0, (x->>1)::bigint \
        FROM json_array_elements($1::json) WITH ORDINALITY AS t(x, i) ORDER BY i \
        ON CONFLICT (aggregate) DO UPDATE SET n = outbox_number.n + excluded.n RETURNING aggregate, n";
    INSERT = "INSERT INTO outbox (id, aggregate, number, kind, recipient, body, created_us, due_us, attempts) \
        SELECT unhex(value->>'id', '-'), value->>'aggregate', value->>'number', value->>'kind', value->>'to', \
            value->>'body', value->>'at', value->>'at', 0 FROM json_each($1)",
        pg "INSERT INTO outbox (id, aggregate, number, kind, recipient, body, created_us, due_us, attempts) \
        SELECT id, aggregate, number, kind, \"to\", body, at, at, 0 FROM json_to_recordset($1::json) \
            AS x(id uuid, aggregate text, number bigint, kind text, \"to\" text, body text, at bigint)";
    PENDING = "SELECT id, aggregate, number, kind, recipient, body, created_us, attempts FROM outbox \
        WHERE sent_us IS NULL AND due_us <= $1 ORDER BY due_us, id LIMIT $2";
    /// Hands messages to one sender: they are due again when its lease is over.
    CLAIM = "UPDATE outbox SET attempts = attempts + 1, due_us = $2 WHERE id IN (SELECT id FROM outbox \
        WHERE sent_us IS NULL AND due_us <= $1 ORDER BY due_us, id LIMIT $3) \
        RETURNING id, aggregate, number, kind, recipient, body, created_us, attempts",
        pg "UPDATE outbox SET attempts = attempts + 1, due_us = $2 WHERE id IN (SELECT id FROM outbox \
        WHERE sent_us IS NULL AND due_us <= $1 ORDER BY due_us, id LIMIT $3 FOR UPDATE SKIP LOCKED) \
        RETURNING id, aggregate, number, kind, recipient, body, created_us, attempts";
    SENT = "UPDATE outbox SET sent_us = $2 WHERE id = $1 AND sent_us IS NULL";
    WITHHOLD = "UPDATE outbox SET sent_us = $1, error = 'withheld: this is a copy' WHERE sent_us IS NULL";
    WAITING = "SELECT count(*) AS n, min(created_us) AS oldest_us FROM outbox WHERE sent_us IS NULL";
    POSTPONE = "UPDATE outbox SET due_us = $2, error = $3 WHERE id = $1 AND sent_us IS NULL";
}

/// A message to be sent.
#[derive(Debug, Clone)]
pub struct Message {
    /// What it is about: the text form of an id. Messages of one aggregate are numbered 1, 2, 3 …
    pub aggregate: String,
    /// What it says, as `usage.reminder`.
    pub kind: &'static str,
    /// To whom: an organization, user or endpoint, in text form; addresses are looked up when it is sent.
    pub to: String,
    /// What the text is made of.
    pub body: serde_json::Value,
    /// When it was decided, by the server's clock.
    pub at: Timestamp,
}

/// A message that is not sent yet.
#[derive(Debug, Clone, PartialEq)]
pub struct Pending {
    /// Never changes; the Message-ID is made of it.
    pub id: MessageId,
    /// What it is about.
    pub aggregate: String,
    /// Its place among the messages of that aggregate, from 1.
    pub number: i64,
    /// What it says.
    pub kind: String,
    /// To whom.
    pub to: String,
    /// What the text is made of.
    pub body: serde_json::Value,
    /// When it was decided.
    pub at: Timestamp,
    /// How often it was claimed.
    pub attempts: i64,
}

impl Pending {
    fn read(row: &Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id("id")?,
            aggregate: row.text("aggregate")?,
            number: row.i64("number")?,
            kind: row.text("kind")?,
            to: row.text("recipient")?,
            body: row.json("body")?,
            at: row.timestamp("created_us")?,
            attempts: row.i64("attempts")?,
        })
    }
}

/// The messages that are due at `now`, the longest waiting first, at most `limit` (and [`MAX_MESSAGES`]).
pub async fn pending(conn: &mut Conn, now: Timestamp, limit: i64) -> Result<Vec<Pending>, StoreError> {
    let rows = conn.fetch_all(&PENDING, params![now, limit.min(MAX_MESSAGES)]).await?;
    rows.iter().map(Pending::read).collect()
}

/// Takes due messages for one sender until `lease_until`; then others may take them again.
pub async fn claim(
    tx: &mut Tx,
    now: Timestamp,
    lease_until: Timestamp,
    limit: i64,
) -> Result<Vec<Pending>, StoreError> {
    let rows = tx.fetch_all(&CLAIM, params![now, lease_until, limit.min(MAX_MESSAGES)]).await?;
    let mut claimed = rows.iter().map(Pending::read).collect::<Result<Vec<_>, _>>()?;
    claimed.sort_by_key(|message| message.id);
    Ok(claimed)
}

/// Records that a message was delivered; `false` when it already was.
pub async fn mark_sent(tx: &mut Tx, id: MessageId, at: Timestamp) -> Result<bool, StoreError> {
    Ok(tx.execute(&SENT, params![id, at]).await? == 1)
}

/// Records why a delivery failed and when to try again.
pub async fn postpone(tx: &mut Tx, id: MessageId, until: Timestamp, error: &str) -> Result<(), StoreError> {
    tx.execute_one(&POSTPONE, params![id, until, error]).await
}

/// What is not sent yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// How many messages.
    pub count: i64,
    /// Since when the oldest of them waits.
    pub oldest: Option<Timestamp>,
}

/// How many messages wait, and since when.
pub async fn waiting(conn: &mut Conn) -> Result<Waiting, StoreError> {
    let row = conn.fetch_one(&WAITING, params![]).await?;
    Ok(Waiting { count: row.i64("n")?, oldest: row.opt_timestamp("oldest_us")? })
}

#[derive(Serialize)]
struct MessageRow {
    id: uuid::Uuid,
    aggregate: String,
    number: i64,
    kind: &'static str,
    to: String,
    body: String,
    at: i64,
}

/// Writes the transaction's messages with their numbers.
pub(crate) async fn write(tx: &mut Tx, messages: Vec<Message>) -> Result<(), StoreError> {
    if messages.is_empty() {
        return Ok(());
    }
    let mut counts = BTreeMap::<&str, i64>::new();
    for message in &messages {
        *counts.entry(&message.aggregate).or_default() += 1;
    }
    let counts: Vec<_> = counts.into_iter().collect();
    let mut next = BTreeMap::new();
    for row in tx.conn.fetch_all(&NUMBER, params![json_rows(&counts)?]).await? {
        let aggregate = row.text("aggregate")?;
        let taken = counts.iter().find(|(name, _)| *name == aggregate).map_or(0, |(_, count)| *count);
        next.insert(aggregate, row.i64("n")? - taken);
    }
    let rng = tx.rng();
    let rows = messages
        .iter()
        .map(|message| {
            let number = next.get_mut(&message.aggregate).ok_or(StoreError::Corrupt { what: "an outbox counter" })?;
            *number += 1;
            Ok(MessageRow {
                id: MessageId::generate(message.at, &*rng).uuid(),
                aggregate: message.aggregate.clone(),
                number: *number,
                kind: message.kind,
                to: message.to.clone(),
                body: message.body.to_string(),
                at: message.at.as_micros(),
            })
        })
        .collect::<Result<Vec<_>, StoreError>>()?;
    tx.execute_exactly(rows.len() as u64, &INSERT, params![json_rows(&rows)?]).await
}

/// Settles all that waits without sending it; how many messages.
pub async fn withhold(tx: &mut Tx, at: Timestamp) -> Result<u64, StoreError> {
    tx.execute(&WITHHOLD, params![at]).await
}
