-- Licenses change hands, servers are replaced and told apart.

-- What a license was until an instant. What stood at a period's end is the first row from that end on, else the license.
CREATE TABLE license_before (
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    until_us INTEGER NOT NULL,
    company_id BLOB,
    site_id BLOB,
    workloads TEXT NOT NULL,
    PRIMARY KEY (provider_id, license_id, until_us)
) STRICT, WITHOUT ROWID;

-- A whole period whose figures are collected beside the manual one, before automatic reporting goes on.
ALTER TABLE license ADD COLUMN shadow_period INTEGER;

-- Update now was asked for; it holds until the next check-in.
ALTER TABLE chain ADD COLUMN asked_us INTEGER;
-- Another installation took one side of a clone over; the next word of the other side clears it.
ALTER TABLE chain ADD COLUMN split_us INTEGER;

-- The code makes one side of a clone a server of its own: the one it replaces goes on.
ALTER TABLE activation_code ADD COLUMN splits INTEGER NOT NULL DEFAULT 0;
-- The first other key that showed it after it was used.
ALTER TABLE activation_code ADD COLUMN refused_us INTEGER;
CREATE INDEX activation_code_by_installation ON activation_code (installation_id) WHERE installation_id IS NOT NULL;

-- A product that came back from elsewhere, and what both sides told of their hosts: bounded per installation.
CREATE TABLE rejoin (
    installation_id BLOB NOT NULL,
    -- the sequence number it came back with
    seq INTEGER NOT NULL,
    provider_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    -- server_restored, clone, set_back
    class TEXT NOT NULL,
    left_seq INTEGER NOT NULL,
    -- when the side left behind spoke last
    left_us INTEGER NOT NULL,
    -- host facts of both sides, JSON
    left_host TEXT NOT NULL,
    host TEXT NOT NULL,
    resolved_us INTEGER,
    resolved_by BLOB,
    -- one_machine, split, noted
    resolved_how TEXT,
    PRIMARY KEY (installation_id, seq)
) STRICT, WITHOUT ROWID;

-- New workloads of a younger installation whose ids no other one of the customer had shown before.
CREATE TABLE proven_new (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, workload, variant)
) STRICT, WITHOUT ROWID;

-- What became of a provider's enrollment, one change after the other.
CREATE TABLE enrollment_change (
    provider_id BLOB NOT NULL REFERENCES org (id),
    n INTEGER NOT NULL,
    at_us INTEGER NOT NULL,
    -- requested, withdrawn, active, declined
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    by_id BLOB NOT NULL,
    PRIMARY KEY (provider_id, n)
) STRICT, WITHOUT ROWID;
