-- What a person says of a closed month afterwards: billed in a later one, beside what products sent late.
CREATE TABLE hand_correction (
    provider_id BLOB NOT NULL,
    -- the month it is billed in
    period INTEGER NOT NULL,
    id BLOB NOT NULL,
    -- the month it is about
    of_period INTEGER NOT NULL,
    product_id BLOB NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    company_id BLOB,
    license_id BLOB,
    site_id BLOB,
    delta INTEGER NOT NULL,
    weight_milli INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    by_id BLOB NOT NULL,
    by_org BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, id)
) STRICT, WITHOUT ROWID;

-- A person looked at a line as it was: the tag covers its figure, so a line that changes is not reviewed any more.
CREATE TABLE reviewed_line (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    tag BLOB NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, tag)
) STRICT, WITHOUT ROWID;

-- A distributor that lets the server approve what is not flagged.
CREATE TABLE approval_rule (
    distributor_id BLOB PRIMARY KEY REFERENCES org (id),
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
