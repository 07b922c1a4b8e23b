"""Offers to an applicant: amount, term and rate; products by segment; concentration by region."""
