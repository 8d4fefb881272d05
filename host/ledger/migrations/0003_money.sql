-- What a finance person asks of a record. Null where it was not known, as for every request that was not delivered.
-- Whose price was used for the candidate that served: a cost model, or the host.
ALTER TABLE records ADD COLUMN cost_model TEXT;
ALTER TABLE records ADD COLUMN served_estimate_usd_micros INTEGER;
ALTER TABLE records ADD COLUMN served_upper_usd_micros INTEGER;
-- The attempt that delivered, without those that failed before it.
ALTER TABLE records ADD COLUMN served_cost_usd_micros INTEGER;
ALTER TABLE records ADD COLUMN served_cost_is TEXT;
-- What the cost is made of, over all attempts: their sum is `cost_usd_micros`.
ALTER TABLE records ADD COLUMN reported_usd_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN estimated_usd_micros INTEGER NOT NULL DEFAULT 0;
ALTER TABLE records ADD COLUMN possible_usd_micros INTEGER NOT NULL DEFAULT 0;
-- Attempts that cost something that nobody knows.
ALTER TABLE records ADD COLUMN unknown_charges INTEGER NOT NULL DEFAULT 0;
-- The model that the caller uses now, and what the request would have cost there.
ALTER TABLE records ADD COLUMN baseline TEXT;
ALTER TABLE records ADD COLUMN baseline_usd_micros INTEGER;

UPDATE records SET
    reported_usd_micros = (SELECT CAST(total(cost_usd_micros) AS INTEGER) FROM attempts WHERE record = id AND cost_is = 'reported'),
    estimated_usd_micros = (SELECT CAST(total(cost_usd_micros) AS INTEGER) FROM attempts WHERE record = id AND cost_is = 'estimated'),
    possible_usd_micros = (SELECT CAST(total(cost_usd_micros) AS INTEGER) FROM attempts WHERE record = id AND cost_is = 'possible'),
    unknown_charges = (SELECT count(*) FROM attempts WHERE record = id AND cost_is = 'unknown'),
    served_cost_usd_micros = (SELECT cost_usd_micros FROM attempts WHERE record = id AND ended = 'delivered'),
    served_cost_is = (SELECT cost_is FROM attempts WHERE record = id AND ended = 'delivered');

-- Everything that sums over a period need, in the order of time: they never touch the records, whose traces are large.
CREATE INDEX records_by_spend ON records (
    at_ms, outcome, provider, served, tenant, key_name, route, strategy, cost_is, cost_usd_micros, reported_usd_micros,
    estimated_usd_micros, possible_usd_micros, unknown_charges, cost_model, served_estimate_usd_micros,
    served_cost_usd_micros, served_cost_is, baseline_usd_micros
);
