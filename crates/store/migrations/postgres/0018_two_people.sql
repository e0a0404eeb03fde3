-- Above so many points, a distributor has two different people approve a month.
CREATE TABLE approval_limit (
    distributor_id UUID PRIMARY KEY REFERENCES org (id),
    -- thousandths of a point
    above BIGINT NOT NULL,
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL
);

-- When the first of them approved a month, and who; gone again with a rejection.
ALTER TABLE monthly_usage ADD COLUMN approved_us BIGINT;
ALTER TABLE monthly_usage ADD COLUMN approved_by UUID;
