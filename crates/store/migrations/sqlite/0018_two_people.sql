-- Above so many points, a distributor has two different people approve a month.
CREATE TABLE approval_limit (
    distributor_id BLOB PRIMARY KEY REFERENCES org (id),
    -- thousandths of a point
    above INTEGER NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- When the first of them approved a month, and who; gone again with a rejection.
ALTER TABLE monthly_usage ADD COLUMN approved_us INTEGER;
ALTER TABLE monthly_usage ADD COLUMN approved_by BLOB;
