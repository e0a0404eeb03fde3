-- A person may also say that a held installation is nobody's.
ALTER TABLE held_installation ADD COLUMN refused_us INTEGER;

-- What else would have earned a month that was granted already (X1): words, in the order in which they came.
ALTER TABLE extension ADD COLUMN later TEXT NOT NULL DEFAULT '';
