-- The hosts an installation spoke from before its present one (C14): what each told of itself, and when it came back to
-- one of them, JSON lists.
ALTER TABLE installation ADD COLUMN hosts_before TEXT NOT NULL DEFAULT '[]';
ALTER TABLE installation ADD COLUMN host_returns TEXT NOT NULL DEFAULT '[]';
