-- A token with which a whole fleet activates one license (protocol, A3).
CREATE TABLE enroll_token (
    token_hash BLOB PRIMARY KEY,
    id BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- how many servers may ever show it, and how many did
    cap INTEGER NOT NULL,
    used INTEGER NOT NULL,
    -- servers in use that the license may have before a further one waits for a person
    license_limit INTEGER NOT NULL,
    -- the networks it is good from, JSON
    networks TEXT NOT NULL,
    created_by BLOB,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    revoked_us INTEGER,
    -- the first time it was shown from elsewhere, or above its cap
    refused_us INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX enroll_token_by_id ON enroll_token (id);
CREATE INDEX enroll_token_by_license ON enroll_token (provider_id, license_id);

-- A server that showed it when the license had enough of them: it waits for a person and has no license.
CREATE TABLE applicant (
    token_id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    -- what it is called while it waits
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_us INTEGER NOT NULL,
    admitted_us INTEGER,
    refused_us INTEGER,
    PRIMARY KEY (token_id, key_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX applicant_by_id ON applicant (id);
CREATE INDEX applicant_by_license ON applicant (provider_id, license_id);

-- The token that let a server in. Its code is of that token and its key, and was used when it was made.
ALTER TABLE activation_code ADD COLUMN enroll_token_id BLOB;
