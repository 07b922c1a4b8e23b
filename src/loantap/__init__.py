"""LoanTap underwriting: from source systems to a decision on the next loan."""

import warnings

__version__ = "0.1.0"

# Pandera imports PySpark wherever it is installed, and PySpark says this of pandas 3 each time. We
# use none of its pandas API; what we do use is tested with the pandas we have.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)
