-- The company that took over what this one held, when the two were found to be one. Opening this one again clears it.
ALTER TABLE company ADD COLUMN merged_into_id UUID;
