"""Charts of pages and of the dashboard, to hover over: Vega-Lite, made with Altair."""
