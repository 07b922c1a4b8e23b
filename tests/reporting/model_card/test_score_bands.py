from loantap.reporting.model_card.score_bands import fill_bands

BAND = {"lowest": 500, "highest": 524, "n": 40, "charged_off": 8, "default_rate": 0.2}


def test_only_bands_with_some_loans_but_fewer_than_thirty_are_few():
  bands = [BAND | {"n": 30}, BAND | {"lowest": 525, "highest": 549, "n": 29}]
  bands.append(BAND | {"lowest": 575, "highest": 599, "n": 1})

  assert [band["is_few"] for band in fill_bands(bands)] == [False, True, False, True]


def test_a_scorecard_without_bands_has_none():
  assert fill_bands([]) == []
