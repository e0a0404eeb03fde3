-- The second step of a person's sign-in: an authenticator app's secret, sealed like the online keys.
CREATE TABLE second_step (
    person_id BLOB PRIMARY KEY REFERENCES person (id),
    sealed BLOB NOT NULL,
    begun_us INTEGER NOT NULL,
    -- when a first code proved that the app has the secret; until then it is asked of nobody
    confirmed_us INTEGER,
    -- the newest step of 30 seconds whose code was taken: no code is taken twice
    last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Codes for who lost the app, each good once; hashed with the deployment's own secret.
CREATE TABLE recovery_code (
    person_id BLOB NOT NULL REFERENCES person (id),
    n INTEGER NOT NULL,
    code_hash BLOB NOT NULL,
    made_us INTEGER NOT NULL,
    used_us INTEGER,
    PRIMARY KEY (person_id, n)
) STRICT, WITHOUT ROWID;
