-- Installations that the server lost together with what they belong to: each waits for a person's confirmation.

CREATE TABLE held_installation (
    installation_id BLOB PRIMARY KEY,
    -- whose it was and which license it held, as our own activation answer says; neither need exist any more
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    public_key BLOB NOT NULL,
    -- the activation answer's envelope, and the verified request that showed it, JSON
    answer TEXT NOT NULL,
    request TEXT NOT NULL,
    name TEXT NOT NULL,
    first_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    confirmed_us INTEGER
) STRICT, WITHOUT ROWID;

-- What they sent meanwhile, kept as it came.
CREATE TABLE held_document (
    installation_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    payload_type TEXT NOT NULL,
    envelope TEXT NOT NULL,
    received_us INTEGER NOT NULL,
    PRIMARY KEY (installation_id, hash)
) STRICT, WITHOUT ROWID;
