"""Three servers that stand for the source systems: PostgreSQL, DB2 and Databricks."""
