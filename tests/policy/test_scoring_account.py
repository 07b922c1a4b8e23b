import pandas as pd
import pytest

from loantap.policy.scoring_account import account_for_scores, require_few_invalid
from loantap.portfolio.errors import InputError


def make_scores(*reasons, ids=None):
	return pd.DataFrame(
		{
			"application_id": pd.Series(ids or [str(n) for n in range(len(reasons))], dtype="str"),
			"decision": ["invalid" if reason else "approve" for reason in reasons],
			"reason_1": pd.Series(reasons, dtype="str"),
		}
	)


def account(scores, batch=1_000, *, has_ids=False):
	def batches():
		for start in range(0, len(scores), batch):
			yield scores[start : start + batch].astype({"reason_1": "category"})

	return account_for_scores(batches(), has_ids=has_ids)


REASONS = (
	"dti 'x': not a number",
	"",
	"dti 'a lot': not a number",
	"term '48 months': not 36 or 60",
	"int_rate '0.12': contradicted by the instalment of 398.57: at 0.12% it would be 333.95",
	"int_rate '0.2': contradicted by the instalment of 1,398.57: at 0.2% it would be 9.5",
	"dti '7; 'x': not a number",
	"dti 'x': not a number",
	"dti 'x': not a number",
	"dti 'x': not a number; term '48 months': not 36 or 60",
	"dti 'y': not a number",
)


@pytest.mark.parametrize("batch", [2, 100])
def test_rows_are_counted_by_cause_whatever_their_values(batch):
	found = account(make_scores(*REASONS), batch)

	assert (found.rows, found.invalid) == (11, 10)
	assert [(c["rows"], c["first_rows"], c["example"]) for c in found.causes] == [
		(6, [1, 3, 7, 8, 9], REASONS[0]),
		(2, [5, 6], REASONS[4]),
		(1, [4], REASONS[3]),
		(1, [10], REASONS[9]),
	]
	assert found.without_id is None


@pytest.mark.parametrize("batch", [3, 100])
def test_ids_that_are_missing_repeated_or_alike_are_counted(batch):
	ids = ["A-1", None, "A-2", "A-1", "a-1", "007", "7", "A-1", "row 5", None]
	found = account(make_scores(*[""] * 10, ids=ids), batch, has_ids=True)

	assert found.without_id is not None
	assert found.repeated is not None
	assert found.alike is not None
	assert (found.without_id.rows, found.without_id.first_rows) == (2, (2, 10))
	assert (found.repeated.rows, found.repeated.first_rows) == (2, (4, 8))
	assert (found.alike.rows, found.alike.first_rows) == (2, (5, 7))


def test_of_no_rows_nothing_is_wrong():
	found = account_for_scores([make_scores()], has_ids=True)

	assert (found.rows, found.invalid, found.invalid_share, found.causes) == (0, 0, 0.0, ())
	require_few_invalid(found, 0)


@pytest.mark.parametrize(
	("invalid", "rows", "most", "stops"),
	[
		(5, 100, 0.05, False),
		(6, 100, 0.05, True),
		(1, 20, 0.05, False),
		(2, 20, 0.05, True),
		# Of fewer than twenty half may be invalid.
		(9, 19, 0.05, False),
		(10, 19, 0.05, True),
		(1, 2, 0.05, False),
		(1, 1, 0.05, True),
		(1, 1, 1, False),
		(12, 19, 0.7, False),
		# None is none, in a small file as well.
		(1, 3, 0, True),
		(0, 3, 0, False),
	],
)
def test_too_many_stop_the_run(invalid, rows, most, *, stops):
	found = account(make_scores(*["dti 'x': not a number"] * invalid, *[""] * (rows - invalid)))

	if not stops:
		require_few_invalid(found, most)
		return
	with pytest.raises(InputError) as refused:
		require_few_invalid(found, most)
	assert refused.value.problem.startswith(f"{invalid} of {rows} cannot be scored, more than ")
	if invalid == rows:  # there are no others to go on with
		assert refused.value.remedy == "Correct the file"
	else:
		require_few_invalid(found, float(refused.value.remedy.rpartition("share=")[2]))


def test_the_message_names_the_max_frequent_causes():
	several = [f"{name} 'x': not a number" for name in ("dti", "dti", "annual_inc", "term", "z")]

	with pytest.raises(InputError) as refused:
		require_few_invalid(account(make_scores(*several)), 0.05)

	assert "them: 2 (rows 1, 2): dti 'x': not a number; 1 (row 3): annual_inc" in str(refused.value)
	assert refused.value.problem.endswith("term 'x': not a number; 1 for other reasons")
