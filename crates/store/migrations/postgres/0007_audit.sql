-- The audit chain's anchors, what its leaves were made of, and how epochs began.

-- The lanes' heads at one moment: payload committed first, signed after; signatures are NULL in between.
CREATE TABLE audit_checkpoint (
    k          BIGINT PRIMARY KEY,
    epoch      BIGINT NOT NULL,
    at_us      BIGINT NOT NULL,
    hash       BYTEA    NOT NULL CHECK (length(hash) = 32),
    payload    BYTEA    NOT NULL,
    -- JSON array of DSSE signatures
    signatures TEXT
);
CREATE INDEX audit_checkpoint_unsigned ON audit_checkpoint (k) WHERE signatures IS NULL;

-- Requests that brought documents, as their leaf covers them: whoever verifies makes the leaf again. In order of arrival.
CREATE TABLE receipted (
    n               BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    installation_id UUID    NOT NULL,
    seq             BIGINT NOT NULL,
    received_us     BIGINT NOT NULL,
    request         BYTEA    NOT NULL CHECK (length(request) = 32),
    answer          BYTEA    NOT NULL CHECK (length(answer) = 32),
    -- hashes of 32 bytes each, in the request's order
    documents       BYTEA    NOT NULL
);

-- Leaves that retention has not dropped yet, oldest first.
CREATE INDEX ingest_leaves_kept ON ingest_leaves (lane, n) WHERE leaves IS NOT NULL;

-- Each epoch after the first: why it began, and how far back the data went that it began with.
CREATE TABLE epoch (
    epoch         BIGINT PRIMARY KEY,
    deployment_id UUID    NOT NULL,
    began_us      BIGINT NOT NULL,
    since_us      BIGINT NOT NULL,
    why           TEXT    NOT NULL
);
