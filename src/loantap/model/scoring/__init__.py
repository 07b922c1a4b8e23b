"""A trained model at work: its scorecard, reasons, the scorer."""
