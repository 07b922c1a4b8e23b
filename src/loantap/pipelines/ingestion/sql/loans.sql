-- Terms, grade and outcome of each resolved loan. Data warehouse; grain: one row per loan.
SELECT
    loan_id,
    loan_amnt,
    term,
    int_rate,
    installment,
    grade,
    sub_grade,
    issue_d,
    loan_status,
    initial_list_status,
    updated_at,
    origin
FROM loans
