-- Writes of consoles that were named by X-Request-id: while they run, and for 48 hours what they answered.
CREATE TABLE console_action (
    org_id BLOB NOT NULL REFERENCES org (id),
    -- the caller with role and site: who may do less now is not answered what was answered then
    principal TEXT NOT NULL,
    id BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    body TEXT,
    begun_us INTEGER NOT NULL,
    done_us INTEGER,
    status INTEGER,
    answer TEXT,
    PRIMARY KEY (org_id, principal, id)
) STRICT;
CREATE INDEX console_action_by_time ON console_action (begun_us);
-- When a token last spoke the console API, to the minute; none for one that never did.
ALTER TABLE api_token ADD COLUMN console_us INTEGER;
