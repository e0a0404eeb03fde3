-- A token with which a whole fleet activates one license (protocol, A3).
CREATE TABLE enroll_token (
    token_hash BYTEA PRIMARY KEY,
    id UUID NOT NULL,
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    name TEXT NOT NULL,
    -- how many servers may ever show it, and how many did
    cap BIGINT NOT NULL,
    used BIGINT NOT NULL,
    -- servers in use that the license may have before a further one waits for a person
    license_limit BIGINT NOT NULL,
    -- the networks it is good from, JSON
    networks TEXT NOT NULL,
    created_by UUID,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    revoked_us BIGINT,
    -- the first time it was shown from elsewhere, or above its cap
    refused_us BIGINT
);
CREATE UNIQUE INDEX enroll_token_by_id ON enroll_token (id);
CREATE INDEX enroll_token_by_license ON enroll_token (provider_id, license_id);

-- A server that showed it when the license had enough of them: it waits for a person and has no license.
CREATE TABLE applicant (
    token_id UUID NOT NULL,
    key_id BYTEA NOT NULL,
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    -- what it is called while it waits
    id UUID NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_us BIGINT NOT NULL,
    admitted_us BIGINT,
    refused_us BIGINT,
    PRIMARY KEY (token_id, key_id)
);
CREATE UNIQUE INDEX applicant_by_id ON applicant (id);
CREATE INDEX applicant_by_license ON applicant (provider_id, license_id);

-- The token that let a server in. Its code is of that token and its key, and was used when it was made.
ALTER TABLE activation_code ADD COLUMN enroll_token_id UUID;
