-- The planner never counts rows by itself: without figures it takes any provider for ten rows, and so would rather read all
-- that a provider has than look up the hundred ids of a page. These figures are of a deployment of 100 providers with 10,000
-- licenses each; plans are the same for every size, and stay so. A stat is: rows, then rows for each longer prefix of the key.
ANALYZE sqlite_schema;
DELETE FROM sqlite_stat1;
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('adjustment', 'adjustment', '100000 1000 100 2 1 1'),
    ('answer', 'answer', '100000 1000 100 1'),
    ('chain', 'sqlite_autoindex_chain_1', '1000000 1'),
    ('company', 'company', '100000 1000 1'),
    ('company', 'company_merged', '1000 10 3'),
    ('correction', 'correction', '100000 1000 100 1'),
    ('document', 'sqlite_autoindex_document_1', '10000000 10 1'),
    ('document', 'document_late', '10000 100 10'),
    ('extension', 'extension', '10000000 100000 10 1'),
    ('hand_correction', 'hand_correction', '10000 100 10 1'),
    ('installation', 'installation', '1000000 10000 1'),
    ('installation', 'installation_by_license', '1000000 10000 2'),
    ('installation', 'installation_by_replaced', '50000 500 1'),
    ('installation_key', 'installation_key', '1000000 1'),
    ('issued_license', 'sqlite_autoindex_issued_license_1', '10000000 100000 10 10 10 1'),
    ('issued_license', 'issued_license_unsigned', '1000 100'),
    ('license', 'license', '1000000 10000 1'),
    ('license', 'license_by_template', '1000000 10000 2'),
    ('license', 'license_by_company', '1000000 10000 20'),
    ('license_before', 'license_before', '100000 1000 2 1'),
    ('manual_line', 'manual_line', '100000 1000 100 1'),
    ('monthly_usage', 'monthly_usage', '2000 20 1'),
    ('obligation', 'obligation', '10000000 100000 10000 1'),
    ('obligation', 'obligation_by_license', '10000000 100000 20 2'),
    ('obligation', 'obligation_open', '1000000 10000 1000 20 2'),
    ('outbox', 'sqlite_autoindex_outbox_1', '1000000 1'),
    ('outbox', 'sqlite_autoindex_outbox_2', '1000000 10 1'),
    ('outbox', 'outbox_due', '10000 2 1'),
    ('proven_new', 'proven_new', '100000 1000 100 2 1 1'),
    ('report', 'sqlite_autoindex_report_1', '10000000 100000 10000 1'),
    ('reviewed_line', 'reviewed_line', '1000000 10000 1000 1'),
    ('submission', 'submission', '2000 20 2 1'),
    ('template', 'template', '1000000 10000 1'),
    ('watermark', 'sqlite_autoindex_watermark_1', '40000000 400000 40000 4 1');

CREATE INDEX license_by_company ON license (provider_id, company_id);

CREATE INDEX company_merged ON company (provider_id, merged_into_id) WHERE merged_into_id IS NOT NULL;

CREATE INDEX installation_by_replaced ON installation (provider_id, replaces_id) WHERE replaces_id IS NOT NULL;
