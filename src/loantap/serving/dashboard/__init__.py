"""The dashboard: what people see of decisions, of the portfolio and of the policy."""
