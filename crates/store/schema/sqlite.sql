CREATE TABLE activation_code (
    code_hash BLOB PRIMARY KEY,
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    -- the installation it takes over from
    replaces_id BLOB,
    created_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    voided_us INTEGER,
    -- the first key that showed it, and what it was told
    key_id BLOB,
    request_hash BLOB,
    installation_id BLOB,
    answer BLOB
, splits INTEGER NOT NULL DEFAULT 0, refused_us INTEGER, enroll_token_id BLOB) STRICT, WITHOUT ROWID;

CREATE INDEX activation_code_by_installation ON activation_code (installation_id) WHERE installation_id IS NOT NULL;

CREATE TABLE adjustment (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    count INTEGER NOT NULL CHECK (count >= 0),
    -- the product's figure and revision it was made on
    was INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, workload, variant)
) STRICT, WITHOUT ROWID;

CREATE TABLE agreement (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    distributor_id BLOB NOT NULL REFERENCES org (id),
    number TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('no_commit', 'volume')),
    commit_milli INTEGER NOT NULL CHECK (commit_milli >= 0),
    limit_milli INTEGER,
    purchase_order TEXT NOT NULL,
    signed_us INTEGER NOT NULL,
    ends_us INTEGER NOT NULL,
    terminated_us INTEGER,
    PRIMARY KEY (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX agreement_by_distributor ON agreement (distributor_id, provider_id);

CREATE TABLE agreement_terms (
    provider_id BLOB NOT NULL,
    agreement_id BLOB NOT NULL,
    from_period INTEGER NOT NULL,
    commit_milli INTEGER NOT NULL CHECK (commit_milli >= 0),
    limit_milli INTEGER,
    PRIMARY KEY (provider_id, agreement_id, from_period),
    FOREIGN KEY (provider_id, agreement_id) REFERENCES agreement (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE answer (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    -- what it answers: missing, clone, contested; a report that arrives takes the place of the first only
    kind TEXT NOT NULL,
    -- JSON array of {workload, variant, count}; empty: zero
    lines TEXT NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE api_token (
    token_hash BLOB PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    org_id BLOB NOT NULL REFERENCES org (id),
    site_id BLOB,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'manage', 'report')),
    created_by BLOB,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    used_us INTEGER,
    revoked_us INTEGER
, console_us INTEGER) STRICT, WITHOUT ROWID;

CREATE INDEX api_token_by_org ON api_token (org_id, id);

CREATE TABLE applicant (
    token_id BLOB NOT NULL,
    key_id BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    -- what it is called while it waits
    id BLOB NOT NULL,
    name TEXT NOT NULL,
    address TEXT NOT NULL,
    asked_us INTEGER NOT NULL,
    admitted_us INTEGER,
    refused_us INTEGER,
    PRIMARY KEY (token_id, key_id)
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX applicant_by_id ON applicant (id);

CREATE INDEX applicant_by_license ON applicant (provider_id, license_id);

CREATE TABLE approval_limit (
    distributor_id BLOB PRIMARY KEY REFERENCES org (id),
    -- thousandths of a point
    above INTEGER NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE approval_rule (
    distributor_id BLOB PRIMARY KEY REFERENCES org (id),
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_checkpoint (
    k          INTEGER PRIMARY KEY,
    epoch      INTEGER NOT NULL,
    at_us      INTEGER NOT NULL,
    hash       BLOB    NOT NULL CHECK (length(hash) = 32),
    payload    BLOB    NOT NULL,
    -- JSON array of DSSE signatures
    signatures TEXT
) STRICT;

CREATE INDEX audit_checkpoint_unsigned ON audit_checkpoint (k) WHERE signatures IS NULL;

CREATE TABLE audit_entry (
    lane      INTEGER NOT NULL,
    n         INTEGER NOT NULL,
    id        BLOB    NOT NULL CHECK (length(id) = 16),
    at_us     INTEGER NOT NULL,
    org       BLOB,
    actor     TEXT    NOT NULL,
    verb      TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    salt      BLOB,
    body      TEXT,
    body_hash BLOB    NOT NULL CHECK (length(body_hash) = 32),
    hash      BLOB    NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (lane, n)
) STRICT, WITHOUT ROWID;

CREATE INDEX audit_entry_at ON audit_entry (at_us, id);

CREATE INDEX audit_entry_org ON audit_entry (org, at_us, id) WHERE org IS NOT NULL;

CREATE TABLE audit_lane (
    lane INTEGER PRIMARY KEY,
    n    INTEGER NOT NULL,
    head BLOB    NOT NULL CHECK (length(head) = 32)
) STRICT;

CREATE TABLE "chain" (
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

CREATE TABLE company (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    site_id BLOB,
    name TEXT NOT NULL,
    created_us INTEGER NOT NULL, kind TEXT NOT NULL DEFAULT 'customer' CHECK (kind IN ('customer', 'reseller')), reseller_id BLOB, closed_us INTEGER, merged_into_id BLOB,
    PRIMARY KEY (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX company_merged ON company (provider_id, merged_into_id) WHERE merged_into_id IS NOT NULL;

CREATE TABLE company_viewer (
    person_id BLOB PRIMARY KEY,
    provider_id BLOB NOT NULL,
    company_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX company_viewer_by_company ON company_viewer (provider_id, company_id, person_id);

CREATE TABLE console_action (
    org_id BLOB NOT NULL REFERENCES org (id),
    -- the caller with role and site: who may do less now is not answered what was answered then
    principal TEXT NOT NULL,
    id BLOB NOT NULL,
    request_hash BLOB NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    body TEXT,
    begun_us INTEGER NOT NULL,
    done_us INTEGER,
    status INTEGER,
    answer TEXT,
    PRIMARY KEY (org_id, principal, id)
) STRICT;

CREATE INDEX console_action_by_time ON console_action (begun_us);

CREATE TABLE console_connection (
    provider_id        BLOB    NOT NULL REFERENCES org (id),
    -- the site's id; the provider's own for the console of the whole
    scope_id           BLOB    NOT NULL,
    license_management INTEGER NOT NULL,
    company_mapping    INTEGER NOT NULL,
    pushes_companies   INTEGER NOT NULL,
    synced_us          INTEGER,
    PRIMARY KEY (provider_id, scope_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE correction (
    provider_id BLOB NOT NULL,
    -- the month it is billed in
    period INTEGER NOT NULL,
    id BLOB NOT NULL,
    -- the month it was used in
    of_period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    company_id BLOB,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    delta INTEGER NOT NULL,
    weight_milli INTEGER NOT NULL,
    document_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE daily_head (
    installation_id BLOB NOT NULL,
    day INTEGER NOT NULL,
    head BLOB NOT NULL,
    PRIMARY KEY (installation_id, day, head)
) STRICT, WITHOUT ROWID;

CREATE TABLE deployment (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    id BLOB NOT NULL,
    vendor_id BLOB NOT NULL,
    epoch INTEGER NOT NULL,
    test_clock INTEGER NOT NULL,
    -- license update servers as JSON array of URLs, best first
    servers TEXT NOT NULL,
    -- secret for challenges and cursors, sealed like a key
    secret BLOB NOT NULL,
    created_us INTEGER NOT NULL
) STRICT;

CREATE TABLE "document" (
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

CREATE INDEX document_late ON document (provider_id, period) WHERE outcome = 'late';

CREATE INDEX document_of_month ON document (installation_id, kind, period, number);

CREATE TABLE enroll_token (
    token_hash BLOB PRIMARY KEY,
    id BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- how many servers may ever show it, and how many did
    cap INTEGER NOT NULL,
    used INTEGER NOT NULL,
    -- servers in use that the license may have before a further one waits for a person
    license_limit INTEGER NOT NULL,
    -- the networks it is good from, JSON
    networks TEXT NOT NULL,
    created_by BLOB,
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    revoked_us INTEGER,
    -- the first time it was shown from elsewhere, or above its cap
    refused_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE UNIQUE INDEX enroll_token_by_id ON enroll_token (id);

CREATE INDEX enroll_token_by_license ON enroll_token (provider_id, license_id);

CREATE TABLE enrollment (
    provider_id BLOB PRIMARY KEY REFERENCES org (id),
    state TEXT NOT NULL CHECK (state IN ('requested', 'active', 'declined')),
    reason TEXT NOT NULL,
    changed_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE epoch (
    epoch         INTEGER PRIMARY KEY,
    deployment_id BLOB    NOT NULL,
    began_us      INTEGER NOT NULL,
    since_us      INTEGER NOT NULL,
    why           TEXT    NOT NULL
) STRICT;

CREATE TABLE extension (
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    granted_us INTEGER NOT NULL,
    -- product_reports, submission, closing, adjustment_line, recovered
    cause TEXT NOT NULL, later TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (provider_id, license_id, period)
) STRICT, WITHOUT ROWID;

CREATE TABLE gone_installation (
    installation_id BLOB PRIMARY KEY,
    at_us INTEGER NOT NULL,
    how TEXT NOT NULL
) STRICT, WITHOUT ROWID;

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

CREATE TABLE held_document (
    installation_id BLOB NOT NULL,
    hash BLOB NOT NULL,
    payload_type TEXT NOT NULL,
    envelope TEXT NOT NULL,
    received_us INTEGER NOT NULL,
    PRIMARY KEY (installation_id, hash)
) STRICT, WITHOUT ROWID;

CREATE TABLE held_installation (
    installation_id BLOB PRIMARY KEY,
    -- whose it was and which license it held, as our own activation answer says; neither need exist any more
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    public_key BLOB NOT NULL,
    -- the activation answer's envelope, and the verified request that showed it, JSON
    answer TEXT NOT NULL,
    request TEXT NOT NULL,
    name TEXT NOT NULL,
    first_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    confirmed_us INTEGER
, refused_us INTEGER) STRICT, WITHOUT ROWID;

CREATE TABLE idempotency (
    org          BLOB    NOT NULL,
    principal    TEXT    NOT NULL,
    operation    TEXT    NOT NULL,
    key          TEXT    NOT NULL,
    request_hash BLOB    NOT NULL CHECK (length(request_hash) = 32),
    status       INTEGER NOT NULL,
    response     TEXT    NOT NULL,
    at_us        INTEGER NOT NULL,
    PRIMARY KEY (org, principal, operation, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX idempotency_at ON idempotency (at_us);

CREATE TABLE ingest_leaves (
    lane   INTEGER NOT NULL,
    n      INTEGER NOT NULL,
    count  INTEGER NOT NULL,
    root   BLOB    NOT NULL CHECK (length(root) = 32),
    leaves BLOB,
    PRIMARY KEY (lane, n)
) STRICT;

CREATE INDEX ingest_leaves_kept ON ingest_leaves (lane, n) WHERE leaves IS NOT NULL;

CREATE TABLE installation (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    name TEXT NOT NULL,
    -- JSON of the host facts last told
    host TEXT NOT NULL,
    product_version TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    auto_update INTEGER NOT NULL,
    activated_us INTEGER NOT NULL,
    replaces_id BLOB,
    retired_us INTEGER,
    -- retired, replaced
    retired_how TEXT, hosts_before TEXT NOT NULL DEFAULT '[]', host_returns TEXT NOT NULL DEFAULT '[]',
    PRIMARY KEY (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX installation_by_license ON installation (provider_id, license_id);

CREATE INDEX installation_by_replaced ON installation (provider_id, replaces_id) WHERE replaces_id IS NOT NULL;

CREATE TABLE installation_key (
    key_id BLOB PRIMARY KEY,
    public_key BLOB NOT NULL,
    provider_id BLOB NOT NULL,
    installation_id BLOB NOT NULL,
    created_us INTEGER NOT NULL,
    retired_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE "issued_license" (
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

CREATE INDEX issued_license_unsigned ON issued_license (provider_id) WHERE envelope IS NULL;

CREATE TABLE job (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    kind       TEXT    NOT NULL,
    key        TEXT    NOT NULL,
    payload    TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    due_us     INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    cursor     TEXT,
    done_us    INTEGER,
    error      TEXT, since_us INTEGER,
    UNIQUE (kind, key)
) STRICT, WITHOUT ROWID;

CREATE INDEX job_due ON job (due_us, id) WHERE done_us IS NULL;

CREATE TABLE license (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    template_id BLOB NOT NULL,
    agreement_id BLOB NOT NULL,
    product_id BLOB NOT NULL REFERENCES product (id),
    site_id BLOB,
    company_id BLOB,
    usage_type TEXT NOT NULL,
    description TEXT NOT NULL,
    workloads TEXT NOT NULL,
    -- Off, SwitchingToOn, On, SwitchingToOff, AlwaysOn, AlwaysOff
    reporting TEXT NOT NULL,
    anchor_us INTEGER,
    expires_us INTEGER,
    assigned_us INTEGER NOT NULL,
    -- newest serial issued, and the epoch of it
    epoch INTEGER NOT NULL,
    serial INTEGER NOT NULL,
    -- a switch is complete once every active installation has shown this epoch and serial
    switch_epoch INTEGER NOT NULL,
    switch_serial INTEGER NOT NULL,
    ended_us INTEGER,
    -- revoked, deleted
    ended_how TEXT, shadow_period INTEGER, terms_us INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (provider_id, id),
    FOREIGN KEY (provider_id, template_id) REFERENCES template (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX license_by_company ON license (provider_id, company_id);

CREATE INDEX license_by_template ON license (provider_id, template_id);

CREATE TABLE license_before (
    provider_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    until_us INTEGER NOT NULL,
    company_id BLOB,
    site_id BLOB,
    workloads TEXT NOT NULL,
    PRIMARY KEY (provider_id, license_id, until_us)
) STRICT, WITHOUT ROWID;

CREATE TABLE manual_line (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    company_id BLOB,
    license_id BLOB,
    site_id BLOB,
    count INTEGER NOT NULL CHECK (count >= 0),
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE meta (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE monthly_usage (
    provider_id BLOB NOT NULL REFERENCES org (id),
    period INTEGER NOT NULL,
    id BLOB NOT NULL UNIQUE,
    agreement_id BLOB NOT NULL,
    distributor_id BLOB NOT NULL,
    -- Collecting, PendingSiteReview, PendingProviderReview, PendingDistributorReview, Rejected, Closed
    state TEXT NOT NULL,
    opened_us INTEGER NOT NULL,
    submitted_us INTEGER,
    submitted_by BLOB,
    submissions INTEGER NOT NULL,
    decided_us INTEGER,
    decided_by BLOB,
    reason TEXT NOT NULL,
    closed_us INTEGER,
    purchase_order TEXT NOT NULL,
    comment TEXT NOT NULL,
    auto_submit INTEGER NOT NULL,
    -- the provider's deadline, fixed at opening
    due_us INTEGER NOT NULL,
    -- the vendor's consent to figures lowered beyond the threshold
    vendor_us INTEGER,
    vendor_by BLOB,
    -- for extensions only: undecided past the distributor's grace
    presumed_us INTEGER,
    -- the last change by a person; reports carry their own time
    changed_us INTEGER NOT NULL, approved_us INTEGER, approved_by BLOB,
    PRIMARY KEY (provider_id, period)
) STRICT, WITHOUT ROWID;

CREATE INDEX monthly_usage_by_distributor ON monthly_usage (distributor_id, period, provider_id);

CREATE INDEX monthly_usage_by_period ON monthly_usage (period, provider_id);

CREATE INDEX monthly_usage_waiting ON monthly_usage (distributor_id, period, provider_id)
    WHERE state = 'PendingDistributorReview';

CREATE TABLE obligation (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    license_id BLOB NOT NULL,
    product_id BLOB NOT NULL,
    company_id BLOB,
    resolved_us INTEGER,
    -- report, answer, replaced
    resolved_how TEXT,
    PRIMARY KEY (provider_id, period, installation_id)
) STRICT, WITHOUT ROWID;

CREATE INDEX obligation_by_license ON obligation (provider_id, license_id, period);

CREATE INDEX obligation_open ON obligation (provider_id, product_id, company_id, period) WHERE resolved_us IS NULL;

CREATE TABLE org (
    id BLOB PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('vendor', 'distributor', 'provider')),
    name TEXT NOT NULL,
    created_us INTEGER NOT NULL
, disabled_us INTEGER) STRICT, WITHOUT ROWID;

CREATE TABLE outbox (
    id         BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    aggregate  TEXT    NOT NULL,
    number     INTEGER NOT NULL,
    kind       TEXT    NOT NULL,
    recipient  TEXT    NOT NULL,
    body       TEXT    NOT NULL,
    created_us INTEGER NOT NULL,
    due_us     INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    sent_us    INTEGER,
    error      TEXT,
    UNIQUE (aggregate, number)
) STRICT, WITHOUT ROWID;

CREATE INDEX outbox_due ON outbox (due_us, id) WHERE sent_us IS NULL;

CREATE TABLE outbox_number (
    aggregate TEXT    NOT NULL PRIMARY KEY,
    n         INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE password_reset (
    token_hash BLOB PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    created_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL,
    used_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX password_reset_by_person ON password_reset (person_id);

CREATE TABLE person (
    id BLOB PRIMARY KEY,
    org_id BLOB NOT NULL REFERENCES org (id),
    site_id BLOB,
    -- lower case; unique in the deployment because people sign in with it
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    failures INTEGER NOT NULL,
    locked_until_us INTEGER NOT NULL,
    disabled_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX person_by_org ON person (org_id, id);

CREATE TABLE policy (
    from_period INTEGER PRIMARY KEY,
    body TEXT NOT NULL
) STRICT;

CREATE TABLE product (
    id BLOB PRIMARY KEY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    edition TEXT NOT NULL,
    version TEXT NOT NULL,
    -- whether installations of it report by themselves
    reports INTEGER NOT NULL, withdrawn_us INTEGER,
    UNIQUE (code, edition)
) STRICT, WITHOUT ROWID;

CREATE TABLE proven_new (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    installation_id BLOB NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    units INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, workload, variant)
) STRICT, WITHOUT ROWID;

CREATE TABLE receipted (
    n               INTEGER PRIMARY KEY,
    installation_id BLOB    NOT NULL,
    seq             INTEGER NOT NULL,
    received_us     INTEGER NOT NULL,
    request         BLOB    NOT NULL CHECK (length(request) = 32),
    answer          BLOB    NOT NULL CHECK (length(answer) = 32),
    -- hashes of 32 bytes each, in the request's order
    documents       BLOB    NOT NULL
) STRICT;

CREATE TABLE recovery_code (
    person_id BLOB NOT NULL REFERENCES person (id),
    n INTEGER NOT NULL,
    code_hash BLOB NOT NULL,
    made_us INTEGER NOT NULL,
    used_us INTEGER,
    PRIMARY KEY (person_id, n)
) STRICT, WITHOUT ROWID;

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

CREATE TABLE "report" (
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

CREATE TABLE reviewed_line (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    tag BLOB NOT NULL,
    by_id BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    PRIMARY KEY (provider_id, period, tag)
) STRICT, WITHOUT ROWID;

CREATE TABLE second_step (
    person_id BLOB PRIMARY KEY REFERENCES person (id),
    sealed BLOB NOT NULL,
    begun_us INTEGER NOT NULL,
    -- when a first code proved that the app has the secret; until then it is asked of nobody
    confirmed_us INTEGER,
    -- the newest step of 30 seconds whose code was taken: no code is taken twice
    last_step INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE session (
    token_hash BLOB PRIMARY KEY,
    person_id BLOB NOT NULL REFERENCES person (id),
    created_us INTEGER NOT NULL,
    seen_us INTEGER NOT NULL,
    expires_us INTEGER NOT NULL
, refresh_hash BLOB CHECK (refresh_hash IS NULL OR length(refresh_hash) = 32), read_only INTEGER NOT NULL DEFAULT 0) STRICT, WITHOUT ROWID;

CREATE INDEX session_by_person ON session (person_id);

CREATE UNIQUE INDEX session_refresh ON session (refresh_hash) WHERE refresh_hash IS NOT NULL;

CREATE TABLE signing_key (
    key_id BLOB PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('license', 'receipt')),
    public_key BLOB NOT NULL,
    sealed BLOB NOT NULL,
    from_us INTEGER NOT NULL,
    until_us INTEGER NOT NULL,
    revoked_us INTEGER
) STRICT, WITHOUT ROWID;

CREATE TABLE site (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    name TEXT NOT NULL, closed_us INTEGER,
    PRIMARY KEY (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE site_part (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    site_id BLOB NOT NULL,
    submitted_us INTEGER,
    submitted_by BLOB,
    returned_reason TEXT NOT NULL,
    PRIMARY KEY (provider_id, period, site_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE sqlite_stat1(tbl,idx,stat);

CREATE TABLE sqlite_stat4(tbl,idx,neq,nlt,ndlt,sample);

CREATE TABLE submission (
    provider_id BLOB NOT NULL,
    period INTEGER NOT NULL,
    number INTEGER NOT NULL,
    by_id BLOB NOT NULL,
    by_org BLOB NOT NULL,
    at_us INTEGER NOT NULL,
    lines_hash BLOB NOT NULL,
    lines TEXT NOT NULL,
    reported_milli INTEGER NOT NULL,
    total_milli INTEGER NOT NULL,
    -- licenses with a flag, and whether figures were lowered beyond the threshold
    flagged INTEGER NOT NULL,
    lowered INTEGER NOT NULL,
    -- JSON array of {license, waits}: the automatic licenses it accounts for, and which wait for Closed
    licenses TEXT NOT NULL,
    -- payload of the receipt; signed when it is read
    receipt BLOB NOT NULL,
    PRIMARY KEY (provider_id, period, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE suspension (
    provider_id BLOB PRIMARY KEY REFERENCES org (id),
    since_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE template (
    provider_id BLOB NOT NULL REFERENCES org (id),
    id BLOB NOT NULL,
    agreement_id BLOB NOT NULL,
    product_id BLOB NOT NULL REFERENCES product (id),
    site_id BLOB,
    usage_type TEXT NOT NULL CHECK (usage_type IN ('single_customer', 'multi_customer', 'internal')),
    description TEXT NOT NULL,
    -- JSON array of {workload, variant, count}
    workloads TEXT NOT NULL,
    -- what the next assignment starts with
    automatic INTEGER NOT NULL,
    expires_us INTEGER,
    license_id BLOB,
    created_us INTEGER NOT NULL,
    deleted_us INTEGER,
    PRIMARY KEY (provider_id, id),
    FOREIGN KEY (provider_id, agreement_id) REFERENCES agreement (provider_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trust_root (
    version INTEGER PRIMARY KEY,
    envelope TEXT NOT NULL
) STRICT;

CREATE TABLE "watermark" (
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

CREATE TABLE weight (
    product_id BLOB NOT NULL,
    code TEXT NOT NULL,
    variant TEXT NOT NULL,
    from_period INTEGER NOT NULL,
    weight_milli INTEGER NOT NULL CHECK (weight_milli >= 0),
    PRIMARY KEY (product_id, code, variant, from_period),
    FOREIGN KEY (product_id, code, variant) REFERENCES workload (product_id, code, variant)
) STRICT, WITHOUT ROWID;

CREATE TABLE workload (
    product_id BLOB NOT NULL REFERENCES product (id),
    code TEXT NOT NULL,
    variant TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (product_id, code, variant)
) STRICT, WITHOUT ROWID;
