-- Rows of a kilobyte and more, by rowid: as part of a primary key's b-tree, SQLite keeps what is over a quarter of a page
-- in pages of its own, so that each look and each change of such a row would take two pages instead of one.

CREATE TABLE chain_by_rowid (
    installation_id BLOB PRIMARY KEY NOT NULL,
    provider_id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    -- active, suspended_clone, retired
    status TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    branch INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    head BLOB NOT NULL,
    req BLOB NOT NULL,
    -- payload of the last answer
    answer BLOB NOT NULL,
    -- JSON array of the last 16 tips left behind
    superseded TEXT NOT NULL,
    -- JSON array of rejoin instants within 31 days
    rejoins TEXT NOT NULL,
    seen_us INTEGER NOT NULL,
    -- SHA-256 of the host facts and versions last told
    facts BLOB NOT NULL,
    skew_us INTEGER NOT NULL,
    -- the license the product shows
    shown_epoch INTEGER NOT NULL,
    shown_serial INTEGER NOT NULL,
    -- the newest license issued to it
    license_id BLOB NOT NULL,
    license_epoch INTEGER NOT NULL,
    license_serial INTEGER NOT NULL,
    license_hash BLOB NOT NULL,
    license_expires_us INTEGER NOT NULL,
    -- the rest of what the result depends on: up_to_date, revoked, contract_terminated, contract_expired, not_updatable
    license_state TEXT NOT NULL,
    -- the agreement's end
    contract_ends_us INTEGER NOT NULL,
    asked_us INTEGER,
    split_us INTEGER
) STRICT;
INSERT INTO chain_by_rowid SELECT * FROM chain;
DROP TABLE chain;
ALTER TABLE chain_by_rowid RENAME TO chain;

CREATE TABLE issued_license_by_rowid (
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    installation_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    hash BLOB NOT NULL,
    payload BLOB NOT NULL,
    expires_us INTEGER NOT NULL,
    issued_us INTEGER NOT NULL,
    -- the signed envelope; null between COMMIT and signing
    envelope TEXT,
    PRIMARY KEY (provider_id, license_id, installation_id, epoch, serial)
) STRICT;
INSERT INTO issued_license_by_rowid SELECT * FROM issued_license;
DROP TABLE issued_license;
ALTER TABLE issued_license_by_rowid RENAME TO issued_license;
CREATE INDEX issued_license_unsigned ON issued_license (provider_id) WHERE envelope IS NULL;

CREATE TABLE document_by_rowid (
    installation_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    id BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('report', 'watermark', 'evidence')),
    period INTEGER NOT NULL,
    -- report: revision; watermark: Monday's day number; evidence: part
    number INTEGER NOT NULL,
    -- accepted, late, conflict, not_counted
    outcome TEXT NOT NULL,
    epoch INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    payload BLOB NOT NULL,
    -- JSON array of DSSE signatures
    signatures TEXT NOT NULL,
    PRIMARY KEY (installation_id, hash)
) STRICT;
INSERT INTO document_by_rowid SELECT * FROM document;
DROP TABLE document;
ALTER TABLE document_by_rowid RENAME TO document;
CREATE INDEX document_late ON document (provider_id, period) WHERE outcome = 'late';

CREATE TABLE report_by_rowid (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    revision INTEGER NOT NULL,
    hash BLOB NOT NULL,
    document_id BLOB NOT NULL,
    final INTEGER NOT NULL,
    contested INTEGER NOT NULL,
    received_us INTEGER NOT NULL,
    -- JSON array of the report's lines as sent
    lines TEXT NOT NULL,
    -- a daily head committed in a check-in does not occur in its history
    history_differs INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id)
) STRICT;
INSERT INTO report_by_rowid SELECT * FROM report;
DROP TABLE report;
ALTER TABLE report_by_rowid RENAME TO report;

CREATE TABLE watermark_by_rowid (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    week INTEGER NOT NULL,
    license_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    received_us INTEGER NOT NULL,
    -- JSON array of {workload, variant, daily}: the days of this month only
    lines TEXT NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, week)
) STRICT;
INSERT INTO watermark_by_rowid SELECT * FROM watermark;
DROP TABLE watermark;
ALTER TABLE watermark_by_rowid RENAME TO watermark;
