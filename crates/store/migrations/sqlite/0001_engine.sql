-- What the store itself needs. Times are microseconds UTC, ids UUIDs of 16 bytes, JSON is text.

CREATE TABLE audit_lane (
    lane INTEGER PRIMARY KEY,
    n    INTEGER NOT NULL,
    head BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT;
INSERT INTO audit_lane (lane, n, head) VALUES (0, 0, zeroblob(32));

-- salt and body are NULL once personal data was erased; the chain stays whole by body_hash.
CREATE TABLE audit_entry (
    lane      INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    id        BLOB    NOT NULL CHECK (length(id) = 16),
    at_us     INTEGER NOT NULL,
    org       BLOB,
    actor     TEXT    NOT NULL,
    verb      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    salt      BLOB,
    body      TEXT,
    body_hash BLOB    NOT NULL CHECK (length(body_hash) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (lane, n)
) STRICT, WITHOUT ROWID;
CREATE INDEX audit_entry_org ON audit_entry (org, at_us, id) WHERE org IS NOT NULL;

-- leaves is NULL once they are past retention; root and count stay.
CREATE TABLE ingest_leaves (
    lane   INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    root   BLOB    NOT NULL CHECK (length(root) = 32),
    leaves BLOB,
    PRIMARY KEY (lane, n)
) STRICT;

CREATE TABLE outbox (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    aggregate  TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    due_us     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    sent_us    INTEGER,
    error      TEXT,
    UNIQUE (aggregate, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX outbox_due ON outbox (due_us, id) WHERE sent_us IS NULL;

-- The number last given within an aggregate, which outlives the messages.
CREATE TABLE outbox_number (
    aggregate TEXT    NOT NULL PRIMARY KEY,
    n         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE job (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    due_us     INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    cursor     TEXT,
    done_us    INTEGER,
    error      TEXT,
    UNIQUE (kind, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX job_due ON job (due_us, id) WHERE done_us IS NULL;

CREATE TABLE idempotency (
    org          BLOB    NOT NULL,
    principal    TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash BLOB    NOT NULL CHECK (length(request_hash) = 32),
    status       INTEGER NOT NULL,
    response     TEXT    NOT NULL,
    at_us        INTEGER NOT NULL,
    PRIMARY KEY (org, principal, operation, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_at ON idempotency (at_us);

-- Single facts of the deployment: its id, its epoch, high-water marks.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
