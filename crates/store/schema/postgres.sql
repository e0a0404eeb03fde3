CREATE TABLE public.activation_code (
    code_hash bytea NOT NULL,
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    replaces_id uuid,
    created_us bigint NOT NULL,
    until_us bigint NOT NULL,
    voided_us bigint,
    key_id bytea,
    request_hash bytea,
    installation_id uuid,
    answer bytea,
    splits boolean DEFAULT false NOT NULL,
    refused_us bigint,
    enroll_token_id uuid
);

CREATE TABLE public.adjustment (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    workload text NOT NULL,
    variant text NOT NULL,
    count bigint NOT NULL,
    was bigint NOT NULL,
    revision bigint NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL,
    CONSTRAINT adjustment_count_check CHECK ((count >= 0))
);

CREATE TABLE public.agreement (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    distributor_id uuid NOT NULL,
    number text NOT NULL,
    kind text NOT NULL,
    commit_milli bigint NOT NULL,
    limit_milli bigint,
    purchase_order text NOT NULL,
    signed_us bigint NOT NULL,
    ends_us bigint NOT NULL,
    terminated_us bigint,
    CONSTRAINT agreement_commit_milli_check CHECK ((commit_milli >= 0)),
    CONSTRAINT agreement_kind_check CHECK ((kind = ANY (ARRAY['no_commit'::text, 'volume'::text])))
);

CREATE TABLE public.agreement_terms (
    provider_id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    from_period bigint NOT NULL,
    commit_milli bigint NOT NULL,
    limit_milli bigint,
    CONSTRAINT agreement_terms_commit_milli_check CHECK ((commit_milli >= 0))
);

CREATE TABLE public.answer (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    kind text NOT NULL,
    lines text NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.api_token (
    token_hash bytea NOT NULL,
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    site_id uuid,
    name text NOT NULL,
    scope text NOT NULL,
    created_by uuid,
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    used_us bigint,
    revoked_us bigint,
    console_us bigint,
    CONSTRAINT api_token_scope_check CHECK ((scope = ANY (ARRAY['read'::text, 'manage'::text, 'report'::text])))
);

CREATE TABLE public.applicant (
    token_id uuid NOT NULL,
    key_id bytea NOT NULL,
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    address text NOT NULL,
    asked_us bigint NOT NULL,
    admitted_us bigint,
    refused_us bigint
);

CREATE TABLE public.approval_limit (
    distributor_id uuid NOT NULL,
    above bigint NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.approval_rule (
    distributor_id uuid NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.audit_checkpoint (
    k bigint NOT NULL,
    epoch bigint NOT NULL,
    at_us bigint NOT NULL,
    hash bytea NOT NULL,
    payload bytea NOT NULL,
    signatures text,
    CONSTRAINT audit_checkpoint_hash_check CHECK ((length(hash) = 32))
);

CREATE TABLE public.audit_entry (
    lane bigint NOT NULL,
    n bigint NOT NULL,
    id uuid NOT NULL,
    at_us bigint NOT NULL,
    org uuid,
    actor text NOT NULL,
    verb text NOT NULL,
    subject text NOT NULL,
    salt bytea,
    body text,
    body_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT audit_entry_body_hash_check CHECK ((length(body_hash) = 32)),
    CONSTRAINT audit_entry_hash_check CHECK ((length(hash) = 32))
);

CREATE TABLE public.audit_lane (
    lane bigint NOT NULL,
    n bigint NOT NULL,
    head bytea NOT NULL,
    CONSTRAINT audit_lane_head_check CHECK ((length(head) = 32))
);

CREATE TABLE public.chain (
    installation_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    key_id bytea NOT NULL,
    status text NOT NULL,
    epoch bigint NOT NULL,
    branch bigint NOT NULL,
    seq bigint NOT NULL,
    head bytea NOT NULL,
    req bytea NOT NULL,
    answer bytea NOT NULL,
    superseded text NOT NULL,
    rejoins text NOT NULL,
    seen_us bigint NOT NULL,
    facts bytea NOT NULL,
    skew_us bigint NOT NULL,
    shown_epoch bigint NOT NULL,
    shown_serial bigint NOT NULL,
    license_id uuid NOT NULL,
    license_epoch bigint NOT NULL,
    license_serial bigint NOT NULL,
    license_hash bytea NOT NULL,
    license_expires_us bigint NOT NULL,
    license_state text NOT NULL,
    contract_ends_us bigint NOT NULL,
    asked_us bigint,
    split_us bigint
)
WITH (fillfactor='60');

CREATE TABLE public.company (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    site_id uuid,
    name text NOT NULL,
    created_us bigint NOT NULL,
    kind text DEFAULT 'customer'::text NOT NULL,
    reseller_id uuid,
    closed_us bigint,
    merged_into_id uuid,
    CONSTRAINT company_kind_check CHECK ((kind = ANY (ARRAY['customer'::text, 'reseller'::text])))
);

CREATE TABLE public.company_viewer (
    person_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    company_id uuid NOT NULL
);

CREATE TABLE public.console_action (
    org_id uuid NOT NULL,
    principal text NOT NULL,
    id uuid NOT NULL,
    request_hash bytea NOT NULL,
    name text NOT NULL,
    query text NOT NULL,
    body text,
    begun_us bigint NOT NULL,
    done_us bigint,
    status bigint,
    answer text
);

CREATE TABLE public.console_connection (
    provider_id uuid NOT NULL,
    scope_id uuid NOT NULL,
    license_management boolean NOT NULL,
    company_mapping boolean NOT NULL,
    pushes_companies boolean NOT NULL,
    synced_us bigint
);

CREATE TABLE public.correction (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    id uuid NOT NULL,
    of_period bigint NOT NULL,
    installation_id uuid NOT NULL,
    license_id uuid NOT NULL,
    product_id uuid NOT NULL,
    company_id uuid,
    workload text NOT NULL,
    variant text NOT NULL,
    delta bigint NOT NULL,
    weight_milli bigint NOT NULL,
    document_id uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.daily_head (
    installation_id uuid NOT NULL,
    day bigint NOT NULL,
    head bytea NOT NULL
);

CREATE TABLE public.deployment (
    one bigint NOT NULL,
    id uuid NOT NULL,
    vendor_id uuid NOT NULL,
    epoch bigint NOT NULL,
    test_clock boolean NOT NULL,
    servers text NOT NULL,
    secret bytea NOT NULL,
    created_us bigint NOT NULL,
    CONSTRAINT deployment_one_check CHECK ((one = 1))
);

CREATE TABLE public.document (
    installation_id uuid NOT NULL,
    hash bytea NOT NULL,
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    kind text NOT NULL,
    period bigint NOT NULL,
    number bigint NOT NULL,
    outcome text NOT NULL,
    epoch bigint NOT NULL,
    received_us bigint NOT NULL,
    payload bytea NOT NULL,
    signatures text NOT NULL,
    CONSTRAINT document_kind_check CHECK ((kind = ANY (ARRAY['report'::text, 'watermark'::text, 'evidence'::text])))
);

CREATE TABLE public.enroll_token (
    token_hash bytea NOT NULL,
    id uuid NOT NULL,
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    name text NOT NULL,
    cap bigint NOT NULL,
    used bigint NOT NULL,
    license_limit bigint NOT NULL,
    networks text NOT NULL,
    created_by uuid,
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    revoked_us bigint,
    refused_us bigint
);

CREATE TABLE public.enrollment (
    provider_id uuid NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    changed_us bigint NOT NULL,
    CONSTRAINT enrollment_state_check CHECK ((state = ANY (ARRAY['requested'::text, 'active'::text, 'declined'::text])))
);

CREATE TABLE public.enrollment_change (
    provider_id uuid NOT NULL,
    n bigint NOT NULL,
    at_us bigint NOT NULL,
    state text NOT NULL,
    reason text NOT NULL,
    by_id uuid NOT NULL
);

CREATE TABLE public.epoch (
    epoch bigint NOT NULL,
    deployment_id uuid NOT NULL,
    began_us bigint NOT NULL,
    since_us bigint NOT NULL,
    why text NOT NULL
);

CREATE TABLE public.extension (
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    period bigint NOT NULL,
    granted_us bigint NOT NULL,
    cause text NOT NULL,
    later text DEFAULT ''::text NOT NULL
);

CREATE TABLE public.gone_installation (
    installation_id uuid NOT NULL,
    at_us bigint NOT NULL,
    how text NOT NULL
);

CREATE TABLE public.hand_correction (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    id uuid NOT NULL,
    of_period bigint NOT NULL,
    product_id uuid NOT NULL,
    workload text NOT NULL,
    variant text NOT NULL,
    company_id uuid,
    license_id uuid,
    site_id uuid,
    delta bigint NOT NULL,
    weight_milli bigint NOT NULL,
    reason text NOT NULL,
    note text NOT NULL,
    by_id uuid NOT NULL,
    by_org uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.held_document (
    installation_id uuid NOT NULL,
    hash bytea NOT NULL,
    payload_type text NOT NULL,
    envelope text NOT NULL,
    received_us bigint NOT NULL
);

CREATE TABLE public.held_installation (
    installation_id uuid NOT NULL,
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    public_key bytea NOT NULL,
    answer text NOT NULL,
    request text NOT NULL,
    name text NOT NULL,
    first_us bigint NOT NULL,
    seen_us bigint NOT NULL,
    confirmed_us bigint,
    refused_us bigint
);

CREATE TABLE public.idempotency (
    org uuid NOT NULL,
    principal text NOT NULL,
    operation text NOT NULL,
    key text NOT NULL,
    request_hash bytea NOT NULL,
    status bigint NOT NULL,
    response text NOT NULL,
    at_us bigint NOT NULL,
    CONSTRAINT idempotency_request_hash_check CHECK ((length(request_hash) = 32))
);

CREATE TABLE public.ingest_leaves (
    lane bigint NOT NULL,
    n bigint NOT NULL,
    count bigint NOT NULL,
    root bytea NOT NULL,
    leaves bytea,
    CONSTRAINT ingest_leaves_root_check CHECK ((length(root) = 32))
);

CREATE TABLE public.installation (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    license_id uuid NOT NULL,
    name text NOT NULL,
    host text NOT NULL,
    product_version text NOT NULL,
    agent_version text NOT NULL,
    auto_update boolean NOT NULL,
    activated_us bigint NOT NULL,
    replaces_id uuid,
    retired_us bigint,
    retired_how text,
    hosts_before text DEFAULT '[]'::text NOT NULL,
    host_returns text DEFAULT '[]'::text NOT NULL
);

CREATE TABLE public.installation_key (
    key_id bytea NOT NULL,
    public_key bytea NOT NULL,
    provider_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    created_us bigint NOT NULL,
    retired_us bigint
);

CREATE TABLE public.issued_license (
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    installation_id uuid NOT NULL,
    epoch bigint NOT NULL,
    serial bigint NOT NULL,
    hash bytea NOT NULL,
    payload bytea NOT NULL,
    expires_us bigint NOT NULL,
    issued_us bigint NOT NULL,
    envelope text
);

CREATE TABLE public.job (
    id uuid NOT NULL,
    kind text NOT NULL,
    key text NOT NULL,
    payload text NOT NULL,
    created_us bigint NOT NULL,
    due_us bigint NOT NULL,
    attempt bigint NOT NULL,
    cursor text,
    done_us bigint,
    error text,
    since_us bigint
);

CREATE TABLE public.license (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    template_id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    product_id uuid NOT NULL,
    site_id uuid,
    company_id uuid,
    usage_type text NOT NULL,
    description text NOT NULL,
    workloads text NOT NULL,
    reporting text NOT NULL,
    anchor_us bigint,
    expires_us bigint,
    assigned_us bigint NOT NULL,
    epoch bigint NOT NULL,
    serial bigint NOT NULL,
    switch_epoch bigint NOT NULL,
    switch_serial bigint NOT NULL,
    ended_us bigint,
    ended_how text,
    shadow_period bigint,
    terms_us bigint DEFAULT 0 NOT NULL
);

CREATE TABLE public.license_before (
    provider_id uuid NOT NULL,
    license_id uuid NOT NULL,
    until_us bigint NOT NULL,
    company_id uuid,
    site_id uuid,
    workloads text NOT NULL
);

CREATE TABLE public.manual_line (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    id uuid NOT NULL,
    product_id uuid NOT NULL,
    workload text NOT NULL,
    variant text NOT NULL,
    company_id uuid,
    license_id uuid,
    site_id uuid,
    count bigint NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL,
    CONSTRAINT manual_line_count_check CHECK ((count >= 0))
);

CREATE TABLE public.meta (
    key text NOT NULL,
    value text NOT NULL
);

CREATE TABLE public.monthly_usage (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    distributor_id uuid NOT NULL,
    state text NOT NULL,
    opened_us bigint NOT NULL,
    submitted_us bigint,
    submitted_by uuid,
    submissions bigint NOT NULL,
    decided_us bigint,
    decided_by uuid,
    reason text NOT NULL,
    closed_us bigint,
    purchase_order text NOT NULL,
    comment text NOT NULL,
    auto_submit boolean NOT NULL,
    due_us bigint NOT NULL,
    vendor_us bigint,
    vendor_by uuid,
    presumed_us bigint,
    changed_us bigint NOT NULL,
    approved_us bigint,
    approved_by uuid
);

CREATE TABLE public.obligation (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    license_id uuid NOT NULL,
    product_id uuid NOT NULL,
    company_id uuid,
    resolved_us bigint,
    resolved_how text
);

CREATE TABLE public.org (
    id uuid NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    created_us bigint NOT NULL,
    disabled_us bigint,
    CONSTRAINT org_kind_check CHECK ((kind = ANY (ARRAY['vendor'::text, 'distributor'::text, 'provider'::text])))
);

CREATE TABLE public.outbox (
    id uuid NOT NULL,
    aggregate text NOT NULL,
    number bigint NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    body text NOT NULL,
    created_us bigint NOT NULL,
    due_us bigint NOT NULL,
    attempts bigint NOT NULL,
    sent_us bigint,
    error text
);

CREATE TABLE public.outbox_number (
    aggregate text NOT NULL,
    n bigint NOT NULL
);

CREATE TABLE public.password_reset (
    token_hash bytea NOT NULL,
    person_id uuid NOT NULL,
    created_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    used_us bigint
);

CREATE TABLE public.person (
    id uuid NOT NULL,
    org_id uuid NOT NULL,
    site_id uuid,
    email text NOT NULL,
    name text NOT NULL,
    role text NOT NULL,
    password_hash text NOT NULL,
    failures bigint NOT NULL,
    locked_until_us bigint NOT NULL,
    disabled_us bigint
);

CREATE TABLE public.policy (
    from_period bigint NOT NULL,
    body text NOT NULL
);

CREATE TABLE public.product (
    id uuid NOT NULL,
    code text NOT NULL,
    name text NOT NULL,
    edition text NOT NULL,
    version text NOT NULL,
    reports boolean NOT NULL,
    withdrawn_us bigint
);

CREATE TABLE public.proven_new (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    workload text NOT NULL,
    variant text NOT NULL,
    units bigint NOT NULL
);

CREATE TABLE public.receipted (
    n bigint NOT NULL,
    installation_id uuid NOT NULL,
    seq bigint NOT NULL,
    received_us bigint NOT NULL,
    request bytea NOT NULL,
    answer bytea NOT NULL,
    documents bytea NOT NULL,
    CONSTRAINT receipted_answer_check CHECK ((length(answer) = 32)),
    CONSTRAINT receipted_request_check CHECK ((length(request) = 32))
);

ALTER TABLE public.receipted ALTER COLUMN n ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.receipted_n_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.recovery_code (
    person_id uuid NOT NULL,
    n bigint NOT NULL,
    code_hash bytea NOT NULL,
    made_us bigint NOT NULL,
    used_us bigint
);

CREATE TABLE public.rejoin (
    installation_id uuid NOT NULL,
    seq bigint NOT NULL,
    provider_id uuid NOT NULL,
    at_us bigint NOT NULL,
    class text NOT NULL,
    left_seq bigint NOT NULL,
    left_us bigint NOT NULL,
    left_host text NOT NULL,
    host text NOT NULL,
    resolved_us bigint,
    resolved_by uuid,
    resolved_how text
);

CREATE TABLE public.report (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    license_id uuid NOT NULL,
    revision bigint NOT NULL,
    hash bytea NOT NULL,
    document_id uuid NOT NULL,
    final boolean NOT NULL,
    contested boolean NOT NULL,
    received_us bigint NOT NULL,
    lines text NOT NULL,
    history_differs boolean NOT NULL
);

CREATE TABLE public.reviewed_line (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    tag bytea NOT NULL,
    by_id uuid NOT NULL,
    at_us bigint NOT NULL
);

CREATE TABLE public.second_step (
    person_id uuid NOT NULL,
    sealed bytea NOT NULL,
    begun_us bigint NOT NULL,
    confirmed_us bigint,
    last_step bigint NOT NULL
);

CREATE TABLE public.session (
    token_hash bytea NOT NULL,
    person_id uuid NOT NULL,
    created_us bigint NOT NULL,
    seen_us bigint NOT NULL,
    expires_us bigint NOT NULL,
    refresh_hash bytea,
    read_only boolean DEFAULT false NOT NULL,
    CONSTRAINT session_refresh_hash_check CHECK (((refresh_hash IS NULL) OR (length(refresh_hash) = 32)))
);

CREATE TABLE public.signing_key (
    key_id bytea NOT NULL,
    role text NOT NULL,
    public_key bytea NOT NULL,
    sealed bytea NOT NULL,
    from_us bigint NOT NULL,
    until_us bigint NOT NULL,
    revoked_us bigint,
    CONSTRAINT signing_key_role_check CHECK ((role = ANY (ARRAY['license'::text, 'receipt'::text])))
);

CREATE TABLE public.site (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    name text NOT NULL,
    closed_us bigint
);

CREATE TABLE public.site_part (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    site_id uuid NOT NULL,
    submitted_us bigint,
    submitted_by uuid,
    returned_reason text NOT NULL
);

CREATE TABLE public.submission (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    number bigint NOT NULL,
    by_id uuid NOT NULL,
    by_org uuid NOT NULL,
    at_us bigint NOT NULL,
    lines_hash bytea NOT NULL,
    lines text NOT NULL,
    reported_milli bigint NOT NULL,
    total_milli bigint NOT NULL,
    flagged bigint NOT NULL,
    lowered boolean NOT NULL,
    licenses text NOT NULL,
    receipt bytea NOT NULL
);

CREATE TABLE public.suspension (
    provider_id uuid NOT NULL,
    since_us bigint NOT NULL
);

CREATE TABLE public.template (
    provider_id uuid NOT NULL,
    id uuid NOT NULL,
    agreement_id uuid NOT NULL,
    product_id uuid NOT NULL,
    site_id uuid,
    usage_type text NOT NULL,
    description text NOT NULL,
    workloads text NOT NULL,
    automatic boolean NOT NULL,
    expires_us bigint,
    license_id uuid,
    created_us bigint NOT NULL,
    deleted_us bigint,
    CONSTRAINT template_usage_type_check CHECK ((usage_type = ANY (ARRAY['single_customer'::text, 'multi_customer'::text, 'internal'::text])))
);

CREATE TABLE public.trust_root (
    version bigint NOT NULL,
    envelope text NOT NULL
);

CREATE TABLE public.watermark (
    provider_id uuid NOT NULL,
    period bigint NOT NULL,
    installation_id uuid NOT NULL,
    week bigint NOT NULL,
    license_id uuid NOT NULL,
    hash bytea NOT NULL,
    received_us bigint NOT NULL,
    lines text NOT NULL
);

CREATE TABLE public.weight (
    product_id uuid NOT NULL,
    code text NOT NULL,
    variant text NOT NULL,
    from_period bigint NOT NULL,
    weight_milli bigint NOT NULL,
    CONSTRAINT weight_weight_milli_check CHECK ((weight_milli >= 0))
);

CREATE TABLE public.workload (
    product_id uuid NOT NULL,
    code text NOT NULL,
    variant text NOT NULL,
    name text NOT NULL,
    unit text NOT NULL
);

ALTER TABLE ONLY public.activation_code
    ADD CONSTRAINT activation_code_pkey PRIMARY KEY (code_hash);

ALTER TABLE ONLY public.adjustment
    ADD CONSTRAINT adjustment_pkey PRIMARY KEY (provider_id, period, installation_id, workload, variant);

ALTER TABLE ONLY public.agreement
    ADD CONSTRAINT agreement_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.agreement_terms
    ADD CONSTRAINT agreement_terms_pkey PRIMARY KEY (provider_id, agreement_id, from_period);

ALTER TABLE ONLY public.answer
    ADD CONSTRAINT answer_pkey PRIMARY KEY (provider_id, period, installation_id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_id_key UNIQUE (id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.applicant
    ADD CONSTRAINT applicant_pkey PRIMARY KEY (token_id, key_id);

ALTER TABLE ONLY public.approval_limit
    ADD CONSTRAINT approval_limit_pkey PRIMARY KEY (distributor_id);

ALTER TABLE ONLY public.approval_rule
    ADD CONSTRAINT approval_rule_pkey PRIMARY KEY (distributor_id);

ALTER TABLE ONLY public.audit_checkpoint
    ADD CONSTRAINT audit_checkpoint_pkey PRIMARY KEY (k);

ALTER TABLE ONLY public.audit_entry
    ADD CONSTRAINT audit_entry_pkey PRIMARY KEY (lane, n);

ALTER TABLE ONLY public.audit_lane
    ADD CONSTRAINT audit_lane_pkey PRIMARY KEY (lane);

ALTER TABLE ONLY public.chain
    ADD CONSTRAINT chain_pkey PRIMARY KEY (installation_id);

ALTER TABLE ONLY public.company
    ADD CONSTRAINT company_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.company_viewer
    ADD CONSTRAINT company_viewer_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY public.console_action
    ADD CONSTRAINT console_action_pkey PRIMARY KEY (org_id, principal, id);

ALTER TABLE ONLY public.console_connection
    ADD CONSTRAINT console_connection_pkey PRIMARY KEY (provider_id, scope_id);

ALTER TABLE ONLY public.correction
    ADD CONSTRAINT correction_pkey PRIMARY KEY (provider_id, period, id);

ALTER TABLE ONLY public.daily_head
    ADD CONSTRAINT daily_head_pkey PRIMARY KEY (installation_id, day, head);

ALTER TABLE ONLY public.deployment
    ADD CONSTRAINT deployment_pkey PRIMARY KEY (one);

ALTER TABLE ONLY public.document
    ADD CONSTRAINT document_pkey PRIMARY KEY (installation_id, hash);

ALTER TABLE ONLY public.enroll_token
    ADD CONSTRAINT enroll_token_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.enrollment_change
    ADD CONSTRAINT enrollment_change_pkey PRIMARY KEY (provider_id, n);

ALTER TABLE ONLY public.enrollment
    ADD CONSTRAINT enrollment_pkey PRIMARY KEY (provider_id);

ALTER TABLE ONLY public.epoch
    ADD CONSTRAINT epoch_pkey PRIMARY KEY (epoch);

ALTER TABLE ONLY public.extension
    ADD CONSTRAINT extension_pkey PRIMARY KEY (provider_id, license_id, period);

ALTER TABLE ONLY public.gone_installation
    ADD CONSTRAINT gone_installation_pkey PRIMARY KEY (installation_id);

ALTER TABLE ONLY public.hand_correction
    ADD CONSTRAINT hand_correction_pkey PRIMARY KEY (provider_id, period, id);

ALTER TABLE ONLY public.held_document
    ADD CONSTRAINT held_document_pkey PRIMARY KEY (installation_id, hash);

ALTER TABLE ONLY public.held_installation
    ADD CONSTRAINT held_installation_pkey PRIMARY KEY (installation_id);

ALTER TABLE ONLY public.idempotency
    ADD CONSTRAINT idempotency_pkey PRIMARY KEY (org, principal, operation, key);

ALTER TABLE ONLY public.ingest_leaves
    ADD CONSTRAINT ingest_leaves_pkey PRIMARY KEY (lane, n);

ALTER TABLE ONLY public.installation_key
    ADD CONSTRAINT installation_key_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.issued_license
    ADD CONSTRAINT issued_license_pkey PRIMARY KEY (provider_id, license_id, installation_id, epoch, serial);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_kind_key_key UNIQUE (kind, key);

ALTER TABLE ONLY public.job
    ADD CONSTRAINT job_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.license_before
    ADD CONSTRAINT license_before_pkey PRIMARY KEY (provider_id, license_id, until_us);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.manual_line
    ADD CONSTRAINT manual_line_pkey PRIMARY KEY (provider_id, period, id);

ALTER TABLE ONLY public.meta
    ADD CONSTRAINT meta_pkey PRIMARY KEY (key);

ALTER TABLE ONLY public.monthly_usage
    ADD CONSTRAINT monthly_usage_id_key UNIQUE (id);

ALTER TABLE ONLY public.monthly_usage
    ADD CONSTRAINT monthly_usage_pkey PRIMARY KEY (provider_id, period);

ALTER TABLE ONLY public.obligation
    ADD CONSTRAINT obligation_pkey PRIMARY KEY (provider_id, period, installation_id);

ALTER TABLE ONLY public.org
    ADD CONSTRAINT org_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_aggregate_number_key UNIQUE (aggregate, number);

ALTER TABLE ONLY public.outbox_number
    ADD CONSTRAINT outbox_number_pkey PRIMARY KEY (aggregate);

ALTER TABLE ONLY public.outbox
    ADD CONSTRAINT outbox_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_email_key UNIQUE (email);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.policy
    ADD CONSTRAINT policy_pkey PRIMARY KEY (from_period);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_code_edition_key UNIQUE (code, edition);

ALTER TABLE ONLY public.product
    ADD CONSTRAINT product_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.proven_new
    ADD CONSTRAINT proven_new_pkey PRIMARY KEY (provider_id, period, installation_id, workload, variant);

ALTER TABLE ONLY public.receipted
    ADD CONSTRAINT receipted_pkey PRIMARY KEY (n);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_pkey PRIMARY KEY (person_id, n);

ALTER TABLE ONLY public.rejoin
    ADD CONSTRAINT rejoin_pkey PRIMARY KEY (installation_id, seq);

ALTER TABLE ONLY public.report
    ADD CONSTRAINT report_pkey PRIMARY KEY (provider_id, period, installation_id);

ALTER TABLE ONLY public.reviewed_line
    ADD CONSTRAINT reviewed_line_pkey PRIMARY KEY (provider_id, period, tag);

ALTER TABLE ONLY public.second_step
    ADD CONSTRAINT second_step_pkey PRIMARY KEY (person_id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_pkey PRIMARY KEY (token_hash);

ALTER TABLE ONLY public.signing_key
    ADD CONSTRAINT signing_key_pkey PRIMARY KEY (key_id);

ALTER TABLE ONLY public.site_part
    ADD CONSTRAINT site_part_pkey PRIMARY KEY (provider_id, period, site_id);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.submission
    ADD CONSTRAINT submission_pkey PRIMARY KEY (provider_id, period, number);

ALTER TABLE ONLY public.suspension
    ADD CONSTRAINT suspension_pkey PRIMARY KEY (provider_id);

ALTER TABLE ONLY public.template
    ADD CONSTRAINT template_pkey PRIMARY KEY (provider_id, id);

ALTER TABLE ONLY public.trust_root
    ADD CONSTRAINT trust_root_pkey PRIMARY KEY (version);

ALTER TABLE ONLY public.watermark
    ADD CONSTRAINT watermark_pkey PRIMARY KEY (provider_id, period, installation_id, week);

ALTER TABLE ONLY public.weight
    ADD CONSTRAINT weight_pkey PRIMARY KEY (product_id, code, variant, from_period);

ALTER TABLE ONLY public.workload
    ADD CONSTRAINT workload_pkey PRIMARY KEY (product_id, code, variant);

CREATE INDEX activation_code_by_installation ON public.activation_code USING btree (installation_id) WHERE (installation_id IS NOT NULL);

CREATE INDEX agreement_by_distributor ON public.agreement USING btree (distributor_id, provider_id);

CREATE INDEX api_token_by_org ON public.api_token USING btree (org_id, id);

CREATE UNIQUE INDEX applicant_by_id ON public.applicant USING btree (id);

CREATE INDEX applicant_by_license ON public.applicant USING btree (provider_id, license_id);

CREATE INDEX audit_checkpoint_unsigned ON public.audit_checkpoint USING btree (k) WHERE (signatures IS NULL);

CREATE INDEX audit_entry_at ON public.audit_entry USING btree (at_us, id);

CREATE INDEX audit_entry_org ON public.audit_entry USING btree (org, at_us, id) WHERE (org IS NOT NULL);

CREATE INDEX company_merged ON public.company USING btree (provider_id, merged_into_id) WHERE (merged_into_id IS NOT NULL);

CREATE INDEX company_viewer_by_company ON public.company_viewer USING btree (provider_id, company_id, person_id);

CREATE INDEX console_action_by_time ON public.console_action USING btree (begun_us);

CREATE INDEX document_late ON public.document USING btree (provider_id, period) WHERE (outcome = 'late'::text);

CREATE INDEX document_of_month ON public.document USING btree (installation_id, kind, period, number);

CREATE UNIQUE INDEX enroll_token_by_id ON public.enroll_token USING btree (id);

CREATE INDEX enroll_token_by_license ON public.enroll_token USING btree (provider_id, license_id);

CREATE INDEX idempotency_at ON public.idempotency USING btree (at_us);

CREATE INDEX ingest_leaves_kept ON public.ingest_leaves USING btree (lane, n) WHERE (leaves IS NOT NULL);

CREATE INDEX installation_by_license ON public.installation USING btree (provider_id, license_id);

CREATE INDEX installation_by_replaced ON public.installation USING btree (provider_id, replaces_id) WHERE (replaces_id IS NOT NULL);

CREATE INDEX issued_license_unsigned ON public.issued_license USING btree (provider_id) WHERE (envelope IS NULL);

CREATE INDEX job_due ON public.job USING btree (due_us, id) WHERE (done_us IS NULL);

CREATE INDEX license_by_company ON public.license USING btree (provider_id, company_id);

CREATE INDEX license_by_template ON public.license USING btree (provider_id, template_id);

CREATE INDEX monthly_usage_by_distributor ON public.monthly_usage USING btree (distributor_id, period, provider_id);

CREATE INDEX monthly_usage_by_period ON public.monthly_usage USING btree (period, provider_id);

CREATE INDEX monthly_usage_waiting ON public.monthly_usage USING btree (distributor_id, period, provider_id) WHERE (state = 'PendingDistributorReview'::text);

CREATE INDEX obligation_by_license ON public.obligation USING btree (provider_id, license_id, period);

CREATE INDEX obligation_open ON public.obligation USING btree (provider_id, product_id, company_id, period) WHERE (resolved_us IS NULL);

CREATE INDEX outbox_due ON public.outbox USING btree (due_us, id) WHERE (sent_us IS NULL);

CREATE INDEX password_reset_by_person ON public.password_reset USING btree (person_id);

CREATE INDEX person_by_org ON public.person USING btree (org_id, id);

CREATE INDEX session_by_person ON public.session USING btree (person_id);

CREATE UNIQUE INDEX session_refresh ON public.session USING btree (refresh_hash) WHERE (refresh_hash IS NOT NULL);

ALTER TABLE ONLY public.agreement
    ADD CONSTRAINT agreement_distributor_id_fkey FOREIGN KEY (distributor_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.agreement
    ADD CONSTRAINT agreement_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.agreement_terms
    ADD CONSTRAINT agreement_terms_provider_id_agreement_id_fkey FOREIGN KEY (provider_id, agreement_id) REFERENCES public.agreement(provider_id, id);

ALTER TABLE ONLY public.api_token
    ADD CONSTRAINT api_token_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.approval_limit
    ADD CONSTRAINT approval_limit_distributor_id_fkey FOREIGN KEY (distributor_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.approval_rule
    ADD CONSTRAINT approval_rule_distributor_id_fkey FOREIGN KEY (distributor_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.company
    ADD CONSTRAINT company_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.console_action
    ADD CONSTRAINT console_action_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.console_connection
    ADD CONSTRAINT console_connection_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.enrollment_change
    ADD CONSTRAINT enrollment_change_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.enrollment
    ADD CONSTRAINT enrollment_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.installation
    ADD CONSTRAINT installation_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.license
    ADD CONSTRAINT license_provider_id_template_id_fkey FOREIGN KEY (provider_id, template_id) REFERENCES public.template(provider_id, id);

ALTER TABLE ONLY public.monthly_usage
    ADD CONSTRAINT monthly_usage_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.password_reset
    ADD CONSTRAINT password_reset_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.person
    ADD CONSTRAINT person_org_id_fkey FOREIGN KEY (org_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.recovery_code
    ADD CONSTRAINT recovery_code_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.second_step
    ADD CONSTRAINT second_step_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.session
    ADD CONSTRAINT session_person_id_fkey FOREIGN KEY (person_id) REFERENCES public.person(id);

ALTER TABLE ONLY public.site
    ADD CONSTRAINT site_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.suspension
    ADD CONSTRAINT suspension_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.template
    ADD CONSTRAINT template_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id);

ALTER TABLE ONLY public.template
    ADD CONSTRAINT template_provider_id_agreement_id_fkey FOREIGN KEY (provider_id, agreement_id) REFERENCES public.agreement(provider_id, id);

ALTER TABLE ONLY public.template
    ADD CONSTRAINT template_provider_id_fkey FOREIGN KEY (provider_id) REFERENCES public.org(id);

ALTER TABLE ONLY public.weight
    ADD CONSTRAINT weight_product_id_code_variant_fkey FOREIGN KEY (product_id, code, variant) REFERENCES public.workload(product_id, code, variant);

ALTER TABLE ONLY public.workload
    ADD CONSTRAINT workload_product_id_fkey FOREIGN KEY (product_id) REFERENCES public.product(id);

