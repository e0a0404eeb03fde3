-- The console API: sessions that a refresh token carries on, and what each console has turned on.

-- SHA-256 of the refresh token of a session made through the console API.
ALTER TABLE session ADD COLUMN refresh_hash BLOB CHECK (refresh_hash IS NULL OR length(refresh_hash) = 32);
ALTER TABLE session ADD COLUMN read_only INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX session_refresh ON session (refresh_hash) WHERE refresh_hash IS NOT NULL;

-- A console of a provider, or of one of its sites: what it has turned on, and when it last asked for everything anew.
CREATE TABLE console_connection (
    provider_id        BLOB    NOT NULL REFERENCES org (id),
    -- the site's id; the provider's own for the console of the whole
    scope_id           BLOB    NOT NULL,
    license_management INTEGER NOT NULL,
    company_mapping    INTEGER NOT NULL,
    pushes_companies   INTEGER NOT NULL,
    synced_us          INTEGER,
    PRIMARY KEY (provider_id, scope_id)
) STRICT, WITHOUT ROWID;
