-- The company that a company's viewer is confined to.
CREATE TABLE company_viewer (
    person_id BLOB PRIMARY KEY,
    provider_id BLOB NOT NULL,
    company_id BLOB NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX company_viewer_by_company ON company_viewer (provider_id, company_id, person_id);
