-- One row per loan and month in which it is alive. Frames are in calendar months (RANGE over
-- month_number), so that a month that is missing is never stepped over, and none reaches past the
-- row's own month.
WITH known AS (
    SELECT
        loan_id,
        month,
        year(month) * 12 + month(month) AS month_number,
        months_on_book,
        outstanding_balance,
        days_past_due,
        payment,
        nullif(current_dti_pct, $unknown_dti_pct) AS dti_pct,
        current_utilisation_pct AS utilisation_pct,
        origin
    FROM months
),

watched AS (
    SELECT
        *,
        max(days_past_due) OVER last_3 AS max_dpd_3m,
        max(days_past_due) OVER last_6 AS max_dpd_6m,
        avg(payment) OVER last_3 AS mean_payment_3m,
        dti_pct - any_value(dti_pct) OVER before_1 AS dti_change_1m,
        dti_pct - any_value(dti_pct) OVER before_3 AS dti_change_3m,
        dti_pct - any_value(dti_pct) OVER before_6 AS dti_change_6m,
        utilisation_pct - any_value(utilisation_pct) OVER before_1 AS utilisation_change_1m,
        utilisation_pct - any_value(utilisation_pct) OVER before_3 AS utilisation_change_3m,
        utilisation_pct - any_value(utilisation_pct) OVER before_6 AS utilisation_change_6m,
        max(days_past_due) OVER earlier >= $default_days AS is_over
    FROM known
    WINDOW
        last_3 AS (PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN 2 PRECEDING AND CURRENT ROW),
        last_6 AS (PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN 5 PRECEDING AND CURRENT ROW),
        before_1 AS (PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN 1 PRECEDING AND 1 PRECEDING),
        before_3 AS (PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN 3 PRECEDING AND 3 PRECEDING),
        before_6 AS (PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN 6 PRECEDING AND 6 PRECEDING),
        earlier AS (
            PARTITION BY loan_id ORDER BY month_number RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        )
)

SELECT
    watched.loan_id,
    watched.month,
    CAST(watched.months_on_book AS DOUBLE) AS months_on_book,
    loans.term_months,
    greatest(loans.term_months - watched.months_on_book, 0) AS remaining_months,
    watched.outstanding_balance,
    watched.outstanding_balance / loans.funded_principal AS balance_share,
    loans.instalment,
    loans.interest_rate_pct,
    loans.annual_income,
    watched.days_past_due,
    watched.max_dpd_3m,
    watched.max_dpd_6m,
    watched.payment / loans.instalment AS payment_to_emi,
    watched.mean_payment_3m / loans.instalment AS payment_to_emi_3m,
    watched.dti_pct,
    watched.dti_change_1m,
    watched.dti_change_3m,
    watched.dti_change_6m,
    watched.utilisation_pct,
    watched.utilisation_change_1m,
    watched.utilisation_change_3m,
    watched.utilisation_change_6m,
    CASE
        WHEN watched.origin <> $simulated THEN watched.origin
        WHEN loans.origin <> $simulated THEN $from_outcome
        ELSE $simulated
    END AS origin
FROM watched
INNER JOIN loans ON watched.loan_id = loans.loan_id
WHERE watched.outstanding_balance > 0 AND NOT coalesce(watched.is_over, false)
ORDER BY watched.loan_id, watched.month_number
