-- The audit chain's anchors, what its leaves were made of, and how epochs began.

-- The lanes' heads at one moment: payload committed first, signed after; signatures are NULL in between.
CREATE TABLE audit_checkpoint (
    k          INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    payload    BLOB    NOT NULL,
    -- JSON array of DSSE signatures
    signatures TEXT
) STRICT;
CREATE INDEX audit_checkpoint_unsigned ON audit_checkpoint (k) WHERE signatures IS NULL;

-- Requests that brought documents, as their leaf covers them: whoever verifies makes the leaf again. In order of arrival.
CREATE TABLE receipted (
    n               INTEGER PRIMARY KEY,
    installation_id BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    received_us     INTEGER NOT NULL,
    request         BLOB    NOT NULL CHECK (length(request) = 32),
    answer          BLOB    NOT NULL CHECK (length(answer) = 32),
    -- hashes of 32 bytes each, in the request's order
    documents       BLOB    NOT NULL
) STRICT;

-- Leaves that retention has not dropped yet, oldest first.
CREATE INDEX ingest_leaves_kept ON ingest_leaves (lane, n) WHERE leaves IS NOT NULL;

-- Each epoch after the first: why it began, and how far back the data went that it began with.
CREATE TABLE epoch (
    epoch         INTEGER PRIMARY KEY,
    deployment_id BLOB    NOT NULL,
    began_us      INTEGER NOT NULL,
    since_us      INTEGER NOT NULL,
    why           TEXT    NOT NULL
) STRICT;
