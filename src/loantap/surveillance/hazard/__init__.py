"""When a loan defaults or is paid off: outcomes, the hazard model, its forecasts and figures."""
