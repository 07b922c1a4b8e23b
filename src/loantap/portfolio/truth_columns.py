"""What the simulator knows of a loan and nobody knows of a real one; forecasts are held against it.

No model may read it: the leakage gate refuses features of these names, or made of them.
"""

from typing import Final

TRUTH_COLUMNS: Final = (
	"loan_id",
	"true_pd",
	"true_log_odds",
	"first_missed_month",
	"end_months_on_book",
	"end",
	"strain",
	"drift_strength",
	"arrears_month",
)
NEVER_A_FEATURE: Final = frozenset(TRUTH_COLUMNS) - {"loan_id"}
