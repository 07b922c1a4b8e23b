-- Applicant and bureau data as of the application. DB2 Appstream; grain: one row per application.
SELECT
    loan_id,
    emp_title,
    emp_length,
    home_ownership,
    annual_inc,
    verification_status,
    purpose,
    title,
    dti,
    earliest_cr_line,
    open_acc,
    pub_rec,
    revol_bal,
    revol_util,
    total_acc,
    application_type,
    mort_acc,
    pub_rec_bankruptcies,
    address,
    updated_at,
    origin
FROM applications
