"""LoanTap underwriting: from source systems to a decision on the next loan."""

__version__ = "0.1.0"
