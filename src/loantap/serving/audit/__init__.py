"""The audit log: each decision, and each act of a person, kept before its answer leaves."""
