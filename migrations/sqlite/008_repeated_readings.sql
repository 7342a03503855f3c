-- Readings of a pack that had reported nothing since the one before (core/reading/reading-format.ts, ReadingFlag).
ALTER TABLE chunks ADD COLUMN repeated_count INTEGER NOT NULL DEFAULT 0;
-- Of the stored ones.
ALTER TABLE completeness ADD COLUMN repeated INTEGER NOT NULL DEFAULT 0;
