import numpy as np
import pandas as pd

from loantap.policy.money.cash_flows import VALUED_BY, expected_npv
from loantap.policy.options import FairnessOptions
from tests.policy.shipped import ECONOMICS

OPTIONS = FairnessOptions(min_loans=100, four_fifths=0.8, target_ratios=(0.8, 0.9, 1.0))


def predict(loans):
	"""It ranks by the interest rate: two samples, and some out of time."""
	level = loans["is_charged_off"].mean() / loans["interest_rate_pct"].mean()
	predictions = pd.DataFrame(
		{
			"loan_id": loans["loan_id"],
			"sample": np.where(np.arange(len(loans)) % 10, "cv", "test"),
			"probability_of_default": (loans["interest_rate_pct"] * level).clip(0, 1),
		}
	)
	again = predictions.head(300).assign(sample="out_of_time", probability_of_default=0.9)
	return pd.concat([again, predictions], ignore_index=True)


def decide(predictions, loans):
	joined = predictions[["loan_id", "probability_of_default"]].merge(loans, on="loan_id")
	npv = expected_npv(*(joined[name] for name in VALUED_BY), ECONOMICS.main_scenario)
	pd_ = joined["probability_of_default"]
	return predictions[["loan_id", "sample"]].assign(
		approve_all=True, nobody=False, pd_cutoff=pd_ < pd_.median(), npv=np.asarray(npv) > 0
	)
