"""Charts of pages and of the dashboard, to hover over, made with Altair."""
