"""Offers to an applicant; products by segment; concentration by region."""
