-- The hot row changes at each check-in and none of what changes is indexed: room on its page keeps the new version there,
-- and no index is touched.
ALTER TABLE chain SET (fillfactor = 60);
