"""The policy book: which credit policy is in force, and who put it there."""
