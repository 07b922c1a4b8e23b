"""Which running loans somebody should look at, why, and who."""
