"""The book as a risk committee reads it: vintages, roll rates, arrears and concentration."""
