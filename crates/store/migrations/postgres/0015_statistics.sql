-- PostgreSQL counts rows itself; SQLite's migration of this number gives it figures.
CREATE INDEX license_by_company ON license (provider_id, company_id);

CREATE INDEX company_merged ON company (provider_id, merged_into_id) WHERE merged_into_id IS NOT NULL;

CREATE INDEX installation_by_replaced ON installation (provider_id, replaces_id) WHERE replaces_id IS NOT NULL;
