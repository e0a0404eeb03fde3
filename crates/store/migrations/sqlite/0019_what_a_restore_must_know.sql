-- When a person last set what a license says, so that a restore knows whether a newer license in the field is the newer
-- word (E1).
ALTER TABLE license ADD COLUMN terms_us INTEGER NOT NULL DEFAULT 0;

-- Installations that ended after the backup that this database comes from: they were made after it too, so there is no row
-- to end, and what they still hold must not bring them back (E4).
CREATE TABLE gone_installation (
    installation_id BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    how TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What an installation sent for one month, which is counted before more is kept (X9).
CREATE INDEX document_of_month ON document (installation_id, kind, period, number);
