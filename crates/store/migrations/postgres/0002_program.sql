-- The program: who rents what from whom, what was used, what was promised.
-- Times are microseconds UTC, ids UUIDv7, points and weights thousandths, periods months since year 0 (year * 12 + month - 1).

-- One row: this deployment.
CREATE TABLE deployment (
    one BIGINT PRIMARY KEY CHECK (one = 1),
    id UUID NOT NULL,
    vendor_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    test_clock BOOLEAN NOT NULL,
    -- license update servers as JSON array of URLs, best first
    servers TEXT NOT NULL,
    -- secret for challenges and cursors, sealed like a key
    secret BYTEA NOT NULL,
    created_us BIGINT NOT NULL
);

-- Every version of the trust root, served for ever.
CREATE TABLE trust_root (
    version BIGINT PRIMARY KEY,
    envelope TEXT NOT NULL
);

-- Online keys; the private part sealed.
CREATE TABLE signing_key (
    key_id BYTEA PRIMARY KEY,
    role TEXT NOT NULL CHECK (role IN ('license', 'receipt')),
    public_key BYTEA NOT NULL,
    sealed BYTEA NOT NULL,
    from_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    revoked_us BIGINT
);

-- The program's numbers, as JSON, in force from a period on.
CREATE TABLE policy (
    from_period BIGINT PRIMARY KEY,
    body TEXT NOT NULL
);

-- ---------------------------------------------------------------- organizations and who may speak for them
CREATE TABLE org (
    id UUID PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('vendor', 'distributor', 'provider')),
    name TEXT NOT NULL,
    created_us BIGINT NOT NULL
);

CREATE TABLE site (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    name TEXT NOT NULL,
    PRIMARY KEY (provider_id, id)
);

CREATE TABLE company (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    site_id UUID,
    name TEXT NOT NULL,
    created_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, id)
);

CREATE TABLE person (
    id UUID PRIMARY KEY,
    org_id UUID NOT NULL REFERENCES org (id),
    site_id UUID,
    -- lower case; unique in the deployment because people sign in with it
    email TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    role TEXT NOT NULL,
    password_hash TEXT NOT NULL,
    failures BIGINT NOT NULL,
    locked_until_us BIGINT NOT NULL,
    disabled_us BIGINT
);

CREATE TABLE session (
    token_hash BYTEA PRIMARY KEY,
    person_id UUID NOT NULL REFERENCES person (id),
    created_us BIGINT NOT NULL,
    seen_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL
);

CREATE TABLE api_token (
    token_hash BYTEA PRIMARY KEY,
    id UUID NOT NULL UNIQUE,
    org_id UUID NOT NULL REFERENCES org (id),
    site_id UUID,
    name TEXT NOT NULL,
    scope TEXT NOT NULL CHECK (scope IN ('read', 'manage', 'report')),
    created_by UUID,
    created_us BIGINT NOT NULL,
    expires_us BIGINT NOT NULL,
    used_us BIGINT,
    revoked_us BIGINT
);

-- ---------------------------------------------------------------- catalog and agreements
CREATE TABLE product (
    id UUID PRIMARY KEY,
    code TEXT NOT NULL,
    name TEXT NOT NULL,
    edition TEXT NOT NULL,
    version TEXT NOT NULL,
    -- whether installations of it report by themselves
    reports BOOLEAN NOT NULL,
    UNIQUE (code, edition)
);

CREATE TABLE workload (
    product_id UUID NOT NULL REFERENCES product (id),
    code TEXT NOT NULL,
    variant TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT NOT NULL,
    PRIMARY KEY (product_id, code, variant)
);

-- A weight changes only on the 1st of a future period.
CREATE TABLE weight (
    product_id UUID NOT NULL,
    code TEXT NOT NULL,
    variant TEXT NOT NULL,
    from_period BIGINT NOT NULL,
    weight_milli BIGINT NOT NULL CHECK (weight_milli >= 0),
    PRIMARY KEY (product_id, code, variant, from_period),
    FOREIGN KEY (product_id, code, variant) REFERENCES workload (product_id, code, variant)
);

CREATE TABLE agreement (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    distributor_id UUID NOT NULL REFERENCES org (id),
    number TEXT NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('no_commit', 'volume')),
    commit_milli BIGINT NOT NULL CHECK (commit_milli >= 0),
    limit_milli BIGINT,
    purchase_order TEXT NOT NULL,
    signed_us BIGINT NOT NULL,
    ends_us BIGINT NOT NULL,
    terminated_us BIGINT,
    PRIMARY KEY (provider_id, id)
);
CREATE INDEX agreement_by_distributor ON agreement (distributor_id, provider_id);

-- Whether a provider's products may report by themselves.
CREATE TABLE enrollment (
    provider_id UUID PRIMARY KEY REFERENCES org (id),
    state TEXT NOT NULL CHECK (state IN ('requested', 'active', 'declined')),
    reason TEXT NOT NULL,
    changed_us BIGINT NOT NULL
);

-- ---------------------------------------------------------------- licenses
-- What can be assigned; costs nothing until it is.
CREATE TABLE template (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    product_id UUID NOT NULL REFERENCES product (id),
    site_id UUID,
    usage_type TEXT NOT NULL CHECK (usage_type IN ('single_customer', 'multi_customer', 'internal')),
    description TEXT NOT NULL,
    -- JSON array of {workload, variant, count}
    workloads TEXT NOT NULL,
    -- what the next assignment starts with
    automatic BOOLEAN NOT NULL,
    expires_us BIGINT,
    license_id UUID,
    created_us BIGINT NOT NULL,
    deleted_us BIGINT,
    PRIMARY KEY (provider_id, id),
    FOREIGN KEY (provider_id, agreement_id) REFERENCES agreement (provider_id, id)
);

-- One assignment of a template.
CREATE TABLE license (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    template_id UUID NOT NULL,
    agreement_id UUID NOT NULL,
    product_id UUID NOT NULL REFERENCES product (id),
    site_id UUID,
    company_id UUID,
    usage_type TEXT NOT NULL,
    description TEXT NOT NULL,
    workloads TEXT NOT NULL,
    -- Off, SwitchingToOn, On, SwitchingToOff, AlwaysOn, AlwaysOff
    reporting TEXT NOT NULL,
    anchor_us BIGINT,
    expires_us BIGINT,
    assigned_us BIGINT NOT NULL,
    -- newest serial issued, and the epoch of it
    epoch BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    -- a switch is complete once every active installation has shown this epoch and serial
    switch_epoch BIGINT NOT NULL,
    switch_serial BIGINT NOT NULL,
    ended_us BIGINT,
    -- revoked, deleted
    ended_how TEXT,
    PRIMARY KEY (provider_id, id),
    FOREIGN KEY (provider_id, template_id) REFERENCES template (provider_id, id)
);
CREATE INDEX license_by_template ON license (provider_id, template_id);

-- One month more of validity: at most one per license and period.
CREATE TABLE extension (
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    period BIGINT NOT NULL,
    granted_us BIGINT NOT NULL,
    -- product_reports, submission, closing, adjustment_line, recovered
    cause TEXT NOT NULL,
    PRIMARY KEY (provider_id, license_id, period)
);

-- Every license ever signed: payload committed first, signed after.
CREATE TABLE issued_license (
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    installation_id UUID NOT NULL,
    epoch BIGINT NOT NULL,
    serial BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    payload BYTEA NOT NULL,
    expires_us BIGINT NOT NULL,
    issued_us BIGINT NOT NULL,
    -- the signed envelope; null between COMMIT and signing
    envelope TEXT,
    PRIMARY KEY (provider_id, license_id, installation_id, epoch, serial)
);
-- Between COMMIT and signing: short at any time.
CREATE INDEX issued_license_unsigned ON issued_license (provider_id) WHERE envelope IS NULL;

CREATE TABLE activation_code (
    code_hash BYTEA PRIMARY KEY,
    provider_id UUID NOT NULL,
    license_id UUID NOT NULL,
    -- the installation it takes over from
    replaces_id UUID,
    created_us BIGINT NOT NULL,
    until_us BIGINT NOT NULL,
    voided_us BIGINT,
    -- the first key that showed it, and what it was told
    key_id BYTEA,
    request_hash BYTEA,
    installation_id UUID,
    answer BYTEA
);

-- ---------------------------------------------------------------- installations
CREATE TABLE installation (
    provider_id UUID NOT NULL REFERENCES org (id),
    id UUID NOT NULL,
    license_id UUID NOT NULL,
    name TEXT NOT NULL,
    -- JSON of the host facts last told
    host TEXT NOT NULL,
    product_version TEXT NOT NULL,
    agent_version TEXT NOT NULL,
    auto_update BOOLEAN NOT NULL,
    activated_us BIGINT NOT NULL,
    replaces_id UUID,
    retired_us BIGINT,
    -- retired, replaced
    retired_how TEXT,
    PRIMARY KEY (provider_id, id)
);
CREATE INDEX installation_by_license ON installation (provider_id, license_id);

-- A key speaks for one installation, for ever, in the whole deployment.
CREATE TABLE installation_key (
    key_id BYTEA PRIMARY KEY,
    public_key BYTEA NOT NULL,
    provider_id UUID NOT NULL,
    installation_id UUID NOT NULL,
    created_us BIGINT NOT NULL,
    retired_us BIGINT
);

-- The hot row of a check-in: where the installation's chain stands.
CREATE TABLE chain (
    installation_id UUID PRIMARY KEY,
    provider_id UUID NOT NULL,
    key_id BYTEA NOT NULL,
    -- active, suspended_clone, retired
    status TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    branch BIGINT NOT NULL,
    seq BIGINT NOT NULL,
    head BYTEA NOT NULL,
    req BYTEA NOT NULL,
    -- payload of the last answer
    answer BYTEA NOT NULL,
    -- JSON array of the last 16 tips left behind
    superseded TEXT NOT NULL,
    -- JSON array of rejoin instants within 31 days
    rejoins TEXT NOT NULL,
    seen_us BIGINT NOT NULL,
    -- SHA-256 of the host facts and versions last told
    facts BYTEA NOT NULL,
    skew_us BIGINT NOT NULL,
    -- the license the product shows
    shown_epoch BIGINT NOT NULL,
    shown_serial BIGINT NOT NULL,
    -- the newest license issued to it
    license_id UUID NOT NULL,
    license_epoch BIGINT NOT NULL,
    license_serial BIGINT NOT NULL,
    license_hash BYTEA NOT NULL,
    license_expires_us BIGINT NOT NULL,
    -- the rest of what the result depends on: up_to_date, revoked, contract_terminated, contract_expired, not_updatable
    license_state TEXT NOT NULL,
    -- the agreement's end
    contract_ends_us BIGINT NOT NULL
);

-- What a product claimed its days were, committed in its check-ins.
CREATE TABLE daily_head (
    installation_id UUID NOT NULL,
    day BIGINT NOT NULL,
    head BYTEA NOT NULL,
    PRIMARY KEY (installation_id, day, head)
);

-- A month in which an installation's license was valid for a day must be accounted for, whatever happens to it.
CREATE TABLE obligation (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    license_id UUID NOT NULL,
    product_id UUID NOT NULL,
    company_id UUID,
    resolved_us BIGINT,
    -- report, answer, replaced
    resolved_how TEXT,
    PRIMARY KEY (provider_id, period, installation_id)
);
-- What is not accounted for yet: short at any time.
CREATE INDEX obligation_open ON obligation (provider_id, product_id, company_id, period) WHERE resolved_us IS NULL;
CREATE INDEX obligation_by_license ON obligation (provider_id, license_id, period);

-- ---------------------------------------------------------------- what products send
CREATE TABLE document (
    installation_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    id UUID NOT NULL,
    provider_id UUID NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('report', 'watermark', 'evidence')),
    period BIGINT NOT NULL,
    -- report: revision; watermark: Monday's day number; evidence: part
    number BIGINT NOT NULL,
    -- accepted, late, conflict, not_counted
    outcome TEXT NOT NULL,
    epoch BIGINT NOT NULL,
    received_us BIGINT NOT NULL,
    payload BYTEA NOT NULL,
    -- JSON array of DSSE signatures
    signatures TEXT NOT NULL,
    PRIMARY KEY (installation_id, hash)
);
-- Late ones are few; a decision of the distributor takes them in.
CREATE INDEX document_late ON document (provider_id, period) WHERE outcome = 'late';

-- The report that counts for an installation and period.
CREATE TABLE report (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    license_id UUID NOT NULL,
    revision BIGINT NOT NULL,
    hash BYTEA NOT NULL,
    document_id UUID NOT NULL,
    final BOOLEAN NOT NULL,
    contested BOOLEAN NOT NULL,
    received_us BIGINT NOT NULL,
    -- JSON array of the report's lines as sent
    lines TEXT NOT NULL,
    -- a daily head committed in a check-in does not occur in its history
    history_differs BOOLEAN NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id)
);

-- One week's part in one month.
CREATE TABLE watermark (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    week BIGINT NOT NULL,
    license_id UUID NOT NULL,
    hash BYTEA NOT NULL,
    received_us BIGINT NOT NULL,
    -- JSON array of {workload, variant, daily}: the days of this month only
    lines TEXT NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, week)
);

-- ---------------------------------------------------------------- the month
CREATE TABLE monthly_usage (
    provider_id UUID NOT NULL REFERENCES org (id),
    period BIGINT NOT NULL,
    id UUID NOT NULL UNIQUE,
    agreement_id UUID NOT NULL,
    distributor_id UUID NOT NULL,
    -- Collecting, PendingSiteReview, PendingProviderReview, PendingDistributorReview, Rejected, Closed
    state TEXT NOT NULL,
    opened_us BIGINT NOT NULL,
    submitted_us BIGINT,
    submitted_by UUID,
    submissions BIGINT NOT NULL,
    decided_us BIGINT,
    decided_by UUID,
    reason TEXT NOT NULL,
    closed_us BIGINT,
    purchase_order TEXT NOT NULL,
    comment TEXT NOT NULL,
    auto_submit BOOLEAN NOT NULL,
    -- the provider's deadline, fixed at opening
    due_us BIGINT NOT NULL,
    -- the vendor's consent to figures lowered beyond the threshold
    vendor_us BIGINT,
    vendor_by UUID,
    -- for extensions only: undecided past the distributor's grace
    presumed_us BIGINT,
    -- the last change by a person; reports carry their own time
    changed_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period)
);
CREATE INDEX monthly_usage_by_distributor ON monthly_usage (distributor_id, period, provider_id);
CREATE INDEX monthly_usage_by_period ON monthly_usage (period, provider_id);
-- The decisions that wait: short at any time.
CREATE INDEX monthly_usage_waiting ON monthly_usage (distributor_id, period, provider_id)
    WHERE state = 'PendingDistributorReview';

-- A site's part.
CREATE TABLE site_part (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    site_id UUID NOT NULL,
    submitted_us BIGINT,
    submitted_by UUID,
    returned_reason TEXT NOT NULL,
    PRIMARY KEY (provider_id, period, site_id)
);

-- What was signed: lines, totals and their hash as submitted.
CREATE TABLE submission (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    number BIGINT NOT NULL,
    by_id UUID NOT NULL,
    by_org UUID NOT NULL,
    at_us BIGINT NOT NULL,
    lines_hash BYTEA NOT NULL,
    lines TEXT NOT NULL,
    reported_milli BIGINT NOT NULL,
    total_milli BIGINT NOT NULL,
    -- licenses with a flag, and whether figures were lowered beyond the threshold
    flagged BIGINT NOT NULL,
    lowered BOOLEAN NOT NULL,
    -- JSON array of {license, waits}: the automatic licenses it accounts for, and which wait for Closed
    licenses TEXT NOT NULL,
    -- payload of the receipt; signed when it is read
    receipt BYTEA NOT NULL,
    PRIMARY KEY (provider_id, period, number)
);

CREATE TABLE manual_line (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    id UUID NOT NULL,
    product_id UUID NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    company_id UUID,
    license_id UUID,
    site_id UUID,
    count BIGINT NOT NULL CHECK (count >= 0),
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, id)
);

-- A person's figure in place of a product's; the product's stays in the report.
CREATE TABLE adjustment (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    count BIGINT NOT NULL CHECK (count >= 0),
    -- the product's figure and revision it was made on
    was BIGINT NOT NULL,
    revision BIGINT NOT NULL,
    reason TEXT NOT NULL,
    note TEXT NOT NULL,
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id, workload, variant)
);

-- A person answered for an installation that sent nothing, or is contested.
CREATE TABLE answer (
    provider_id UUID NOT NULL,
    period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    -- what it answers: missing, clone, contested; a report that arrives takes the place of the first only
    kind TEXT NOT NULL,
    -- JSON array of {workload, variant, count}; empty: zero
    lines TEXT NOT NULL,
    by_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, installation_id)
);

-- Usage of a closed month that arrived later, owed in a later one.
CREATE TABLE correction (
    provider_id UUID NOT NULL,
    -- the month it is billed in
    period BIGINT NOT NULL,
    id UUID NOT NULL,
    -- the month it was used in
    of_period BIGINT NOT NULL,
    installation_id UUID NOT NULL,
    license_id UUID NOT NULL,
    product_id UUID NOT NULL,
    company_id UUID,
    workload TEXT NOT NULL,
    variant TEXT NOT NULL,
    delta BIGINT NOT NULL,
    weight_milli BIGINT NOT NULL,
    document_id UUID NOT NULL,
    at_us BIGINT NOT NULL,
    PRIMARY KEY (provider_id, period, id)
);

-- A provider that may not create or assign, as last audited; the months say whether it still holds.
CREATE TABLE suspension (
    provider_id UUID PRIMARY KEY REFERENCES org (id),
    since_us BIGINT NOT NULL
);
