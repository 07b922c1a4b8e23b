from loantap.reporting.formatting import NOTHING
from loantap.reporting.model_card.fairness_section import RuleLine, word_fairness
from tests.reporting.card_material import make_fairness, make_group, make_proxy


def word(*groups):
  report = make_fairness(home_ownership=make_proxy("Housing", *groups))
  (proxy,) = word_fairness(report)["lending"].proxies
  return list(proxy.rules)


def test_each_rule_names_the_groups_approved_max_and_min_often_of_those_large_enough():
  f2, policy = word(
    make_group("OWN", 1.0), make_group("RENT", 0.72), make_group("MORTGAGE", 0.9), make_group("OTHER", None)
  )

  assert f2 == RuleLine("f2", "F2 threshold", "OWN", "RENT", "0.72", "0.68 to 0.76")
  assert policy == RuleLine("policy", "policy", "OWN", "RENT", "0.72", "0.68 to 0.76")


def test_where_no_other_group_is_large_enough_there_is_no_ratio():
  f2, _ = word(make_group("OWN", 1.0), make_group("OTHER", None))

  assert (f2.favoured, f2.least, f2.ratio, f2.interval) == ("OWN", NOTHING, NOTHING, "")


def test_a_rule_that_approves_nobody_favours_nobody():
  proxy = make_proxy("Housing", make_group("OWN", None), make_group("RENT", None))
  report = make_fairness(home_ownership=proxy | {"favoured": {"f2": None, "policy": None}})

  (line,) = word_fairness(report)["lending"].proxies

  assert {(rule.favoured, rule.least, rule.ratio) for rule in line.rules} == {(NOTHING, NOTHING, NOTHING)}
