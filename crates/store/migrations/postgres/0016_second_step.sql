-- The second step of a person's sign-in: an authenticator app's secret, sealed like the online keys.
CREATE TABLE second_step (
    person_id UUID PRIMARY KEY REFERENCES person (id),
    sealed BYTEA NOT NULL,
    begun_us BIGINT NOT NULL,
    -- when a first code proved that the app has the secret; until then it is asked of nobody
    confirmed_us BIGINT,
    -- the newest step of 30 seconds whose code was taken: no code is taken twice
    last_step BIGINT NOT NULL
);

-- Codes for who lost the app, each good once; hashed with the deployment's own secret.
CREATE TABLE recovery_code (
    person_id UUID NOT NULL REFERENCES person (id),
    n BIGINT NOT NULL,
    code_hash BYTEA NOT NULL,
    made_us BIGINT NOT NULL,
    used_us BIGINT,
    PRIMARY KEY (person_id, n)
);
