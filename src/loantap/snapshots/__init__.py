"""A source table as extracted, kept up to date: Parquet parts, and the list of them."""
