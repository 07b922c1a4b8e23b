-- Months as numbers since 1970: narrow rows, and the month after is one more.
CREATE TABLE loan AS
SELECT row_number() OVER (ORDER BY loan_id) AS number, loan_id,
       loan_status = $charged_off AS is_lost, loan_status = $paid AS is_paid,
       12 * year(issue_month) + month(issue_month) AS issued, term_months AS term,
       grade, purpose, state
FROM loans;

CREATE TABLE seen AS
SELECT number, (12 * year(month) + month(month))::INTEGER AS month,
       outstanding_balance AS balance, days_past_due AS days
FROM months JOIN loan USING (loan_id);

-- A balance of 0 that rises again ended nothing. Of a charged-off loan it was written off, so the
-- last month with a balance is that of the charge-off.
CREATE TABLE course AS
WITH of_loan AS (
    SELECT number, min(month) AS first_month, max(month) AS last_month, count(*) AS months,
           max(month) FILTER (balance > 0) AS last_owed
    FROM seen GROUP BY number
), zero AS (
    SELECT number, min(month) AS zero_month
    FROM seen JOIN of_loan USING (number)
    WHERE balance = 0 AND (last_owed IS NULL OR month > last_owed) GROUP BY number
), ended AS (
    SELECT *, CASE WHEN is_lost THEN coalesce(last_owed, last_month) ELSE zero_month END AS end_month
    FROM of_loan JOIN loan USING (number) LEFT JOIN zero USING (number)
), late AS (
    SELECT number, min(month) AS late_month
    FROM seen JOIN ended USING (number)
    WHERE days >= $default_days AND balance > 0 AND (end_month IS NULL OR month <= end_month)
    GROUP BY number
)
SELECT number, issued, term, is_lost, is_paid, first_month, last_month, months, end_month,
       coalesce(end_month, last_month) AS until,
       CASE WHEN is_lost THEN coalesce(late_month, end_month) ELSE late_month END AS default_month,
       CASE WHEN NOT is_lost THEN end_month END AS paid_month
FROM ended LEFT JOIN late USING (number);

-- What comes after a loan's end says nothing more.
CREATE TABLE ledger AS
SELECT number, month, balance,
       CASE WHEN is_lost AND month = end_month THEN 'charged off'
            WHEN NOT is_lost AND month = end_month THEN 'paid'
            WHEN days >= 90 THEN '90+' WHEN days >= 60 THEN '60-89'
            WHEN days >= 30 THEN '30-59' WHEN days > 0 THEN '1-29'
            ELSE 'current' END AS state
FROM seen JOIN course USING (number) WHERE month <= until;
