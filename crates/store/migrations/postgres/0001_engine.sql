-- What the store itself needs. Times are microseconds UTC, ids UUIDs, JSON is text.

CREATE TABLE audit_lane (
    lane BIGINT PRIMARY KEY,
    n    BIGINT  NOT NULL,
    head BYTEA   NOT NULL CHECK (length(head) = 32)
);
INSERT INTO audit_lane (lane, n, head) SELECT lane, 0, decode(repeat('00', 32), 'hex') FROM generate_series(0, 15) AS lane;

-- salt and body are NULL once personal data was erased; the chain stays whole by body_hash.
CREATE TABLE audit_entry (
    lane      BIGINT  NOT NULL,
    n         BIGINT  NOT NULL,
    id        UUID    NOT NULL,
    at_us     BIGINT  NOT NULL,
    org       UUID,
    actor     TEXT    NOT NULL,
    verb      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    salt      BYTEA,
    body      TEXT,
    body_hash BYTEA   NOT NULL CHECK (length(body_hash) = 32),
    hash      BYTEA   NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (lane, n)
);
CREATE INDEX audit_entry_org ON audit_entry (org, at_us, id) WHERE org IS NOT NULL;

-- leaves is NULL once they are past retention; root and count stay.
CREATE TABLE ingest_leaves (
    lane   BIGINT  NOT NULL,
    n      BIGINT  NOT NULL,
    count  BIGINT  NOT NULL,
    root   BYTEA   NOT NULL CHECK (length(root) = 32),
    leaves BYTEA,
    PRIMARY KEY (lane, n)
);

CREATE TABLE outbox (
    id         UUID    NOT NULL PRIMARY KEY,
    aggregate  TEXT    NOT NULL,
    number     BIGINT  NOT NULL,
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_us BIGINT  NOT NULL,
    due_us     BIGINT  NOT NULL,
    attempts   BIGINT  NOT NULL,
    sent_us    BIGINT,
    error      TEXT,
    UNIQUE (aggregate, number)
);
CREATE INDEX outbox_due ON outbox (due_us, id) WHERE sent_us IS NULL;

-- The number last given within an aggregate, which outlives the messages.
CREATE TABLE outbox_number (
    aggregate TEXT    NOT NULL PRIMARY KEY,
    n         BIGINT  NOT NULL
);

CREATE TABLE job (
    id         UUID    NOT NULL PRIMARY KEY,
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    created_us BIGINT  NOT NULL,
    due_us     BIGINT  NOT NULL,
    attempt    BIGINT  NOT NULL,
    cursor     TEXT,
    done_us    BIGINT,
    error      TEXT,
    UNIQUE (kind, key)
);
CREATE INDEX job_due ON job (due_us, id) WHERE done_us IS NULL;

CREATE TABLE idempotency (
    org          UUID    NOT NULL,
    principal    TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash BYTEA   NOT NULL CHECK (length(request_hash) = 32),
    status       BIGINT  NOT NULL,
    response     TEXT    NOT NULL,
    at_us        BIGINT  NOT NULL,
    PRIMARY KEY (org, principal, operation, key)
);
CREATE INDEX idempotency_at ON idempotency (at_us);

-- Single facts of the deployment: its id, its epoch, high-water marks.
CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
);
