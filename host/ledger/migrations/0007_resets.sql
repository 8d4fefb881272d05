-- Outcomes up to this number are not learned again: the memory was emptied there, or began there.
ALTER TABLE memories ADD COLUMN since INTEGER NOT NULL DEFAULT 0;
