-- Licenses change hands, servers are replaced and told apart.

-- What a license was until an instant. What stood at a period's end is the first row from that end on, else the license.
CREATE TABLE license_before (
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    until_us BIGINT NOT NULL,
    company_id UUID,
    site_id UUID,
    workloads TEXT NOT NULL,
    PRIMARY KEY (provider_id, license_id, until_us)
);

-- A whole period whose figures are collected beside the manual one, before automatic reporting goes on.
ALTER TABLE license ADD COLUMN shadow_period BIGINT;

-- Update now was asked for; it holds until the next check-in.
ALTER TABLE chain ADD COLUMN asked_us BIGINT;
-- Another installation took one side of a clone over; the next word of the other side clears it.
ALTER TABLE chain ADD COLUMN split_us BIGINT;

-- The code makes one side of a clone a server of its own: the one it replaces goes on.
ALTER TABLE activation_code ADD COLUMN splits BOOLEAN NOT NULL DEFAULT FALSE;
-- The first other key that showed it after it was used.
ALTER TABLE activation_code ADD COLUMN refused_us BIGINT;
CREATE INDEX activation_code_by_installation ON activation_code (installation_id) WHERE installation_id IS NOT NULL;

-- A product that came back from elsewhere, and what both sides told of their hosts: bounded per installation.
CREATE TABLE rejoin (
    installation_id UUID NOT NULL,
    -- the sequence number it came back with
    seq BIGINT NOT NULL,
    provider_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    -- server_restored, clone, set_back
    class TEXT NOT NULL,
    left_seq BIGINT NOT NULL,
    -- when the side left behind spoke last
    left_us BIGINT NOT NULL,
    -- host facts of both sides, JSON
    left_host TEXT NOT NULL,
    host TEXT NOT NULL,
    resolved_us BIGINT,
    resolved_by UUID,
    -- one_machine, split, noted
    resolved_how TEXT,
    PRIMARY KEY (installation_id, seq)
);

-- New workloads of a younger installation whose ids no other one of the customer had shown before.
CREATE TABLE proven_new (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    units BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, workload, variant)
);

-- What became of a provider's enrollment, one change after the other.
CREATE TABLE enrollment_change (
    provider_id UUID NOT NULL REFERENCES org (id),
    n BIGINT NOT NULL,
    at_us BIGINT NOT NULL,
    -- requested, withdrawn, active, declined
    state TEXT NOT NULL,
    reason TEXT NOT NULL,
    by_id UUID NOT NULL,
    PRIMARY KEY (provider_id, n)
);
