"""Files as lenders export them, read by a map of their columns to LoanTap's."""
