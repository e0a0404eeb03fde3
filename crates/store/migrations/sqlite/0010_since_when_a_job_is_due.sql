-- When a job was first due. due_us moves with every claim and every failure, so it cannot tell how late a job is. A job
-- from before has none, and its due_us is taken.
ALTER TABLE job ADD COLUMN since_us INTEGER;
