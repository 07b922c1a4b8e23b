-- What happened to each loan month by month. Databricks; grain: one row per loan and month.
SELECT
    loan_id,
    month,
    balance,
    days_past_due,
    payment,
    dti,
    revol_util,
    updated_at,
    origin
FROM loan_events
