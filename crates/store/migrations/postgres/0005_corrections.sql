-- What a person says of a closed month afterwards: billed in a later one, beside what products sent late.
CREATE TABLE hand_correction (
    provider_id UUID NOT NULL,
    -- the month it is billed in
    period BIGINT NOT NULL,
    id UUID NOT NULL,
    -- the month it is about
    of_period BIGINT NOT NULL,
    product_id UUID NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    company_id UUID,
    license_id UUID,
    site_id UUID,
    delta BIGINT NOT NULL,
    weight_milli BIGINT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    by_id UUID NOT NULL,
    by_org UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, id)
);

-- A person looked at a line as it was: the tag covers its figure, so a line that changes is not reviewed any more.
CREATE TABLE reviewed_line (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    tag BYTEA NOT NULL,
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, tag)
);

-- A distributor that lets the server approve what is not flagged.
CREATE TABLE approval_rule (
    distributor_id UUID PRIMARY KEY REFERENCES org (id),
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL
);
