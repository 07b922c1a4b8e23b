from itertools import pairwise

from loantap.reporting.model_card.tables import Cell, tabulate_candidates, tabulate_metrics, thin_trade_off
from tests.reporting.card_material import BLOCK, make_candidates, make_trade_off


def test_ece_stands_beside_the_range_of_a_perfect_model():
  rows = tabulate_metrics({"cv": BLOCK}).rows

  assert rows["Expected calibration error (ECE)"][0] == Cell("0.012", "", "perfect: 0.006 to 0.021")
  assert rows["AUC"][0].remark == ""


def test_the_search_shows_its_top_and_the_chosen_candidate_wherever_it_ranks():
  table = tabulate_candidates(make_candidates(12).sample(frac=1, random_state=1))

  assert [row["rank"] for row in table.rows] == [1, 2, 3, 4, 5, 6, 7, 8, 11]
  assert table.rows[-1]["candidate"] == "smote L1 C=10"
  assert (table.tried, table.within, table.not_converged) == (12, 4, 1)


def test_the_trade_off_is_thinned_to_a_dozen_rows_from_end_to_end():
  rows = make_trade_off(99)["thresholds"]
  thinned = thin_trade_off(rows)

  shares = [row["approval_rate"] for row in thinned]
  gaps = {round(100 * (b - a)) for a, b in pairwise(shares)}
  assert len(thinned) == 12
  assert (shares[0], shares[-1]) == (0.01, 0.99)
  assert gaps <= {8, 9, 10}
  assert thin_trade_off(rows[:3]) == rows[:3]
  assert thin_trade_off(rows[:1]) == rows[:1]
