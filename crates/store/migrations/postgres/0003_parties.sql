-- Parties: what ends without being forgotten, who resells, links to set a password, terms that change with a month.
-- An organization that is deactivated: its people and tokens are locked out.
ALTER TABLE org ADD COLUMN disabled_us BIGINT;

ALTER TABLE site ADD COLUMN closed_us BIGINT;

ALTER TABLE company ADD COLUMN kind TEXT NOT NULL DEFAULT 'customer' CHECK (kind IN ('customer', 'reseller'));
-- the reseller of the same provider that serves it
ALTER TABLE company ADD COLUMN reseller_id UUID;
ALTER TABLE company ADD COLUMN closed_us BIGINT;

CREATE INDEX person_by_org ON person (org_id, id);
CREATE INDEX session_by_person ON session (person_id);
CREATE INDEX api_token_by_org ON api_token (org_id, id);

-- A link with which one person sets a password, once.
CREATE TABLE password_reset (
    token_hash BYTEA PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES person (id),
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us BIGINT
);
CREATE INDEX password_reset_by_person ON password_reset (person_id);

-- A product that is no longer licensed anew.
ALTER TABLE product ADD COLUMN withdrawn_us BIGINT;

-- What an agreement commits to from a month on; before the first, the agreement's own row says it.
CREATE TABLE agreement_terms (
    provider_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    from_period BIGINT NOT NULL,
    commit_milli BIGINT NOT NULL CHECK (commit_milli >= 0),
    limit_milli BIGINT,
    PRIMARY KEY (provider_id, agreement_id, from_period),
    FOREIGN KEY (provider_id, agreement_id) REFERENCES agreement (provider_id, id)
);

-- The vendor reads the log of all.
CREATE INDEX audit_entry_at ON audit_entry (at_us, id);
