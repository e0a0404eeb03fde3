-- The company that a company's viewer is confined to.
CREATE TABLE company_viewer (
    person_id UUID PRIMARY KEY,
    provider_id UUID NOT NULL,
    company_id UUID NOT NULL
);
CREATE INDEX company_viewer_by_company ON company_viewer (provider_id, company_id, person_id);
