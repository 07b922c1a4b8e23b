import numpy as np
import pytest

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.pilot import Pilot, PilotedStarts
from loantap.model.training.threads import fitting_here

ROWS = 30_000
INVERSE_PENALTIES = [0.01, 0.1, 1.0, 100.0]
NUMBER, SEPARATES, RARE = range(3)


def _make(rows):
  """A number that says a little, a category without charge-offs, and one of 40 rows."""
  random = np.random.default_rng(5)
  matrix = np.zeros((rows, 3), order="F")
  matrix[:, NUMBER] = random.normal(size=rows)
  matrix[:, SEPARATES] = random.random(rows) < 0.3
  # All of them are rows of the pilot.
  matrix[:800:20, RARE] = 1
  charged_off = random.random(rows) < 1 / (1 + np.exp(1.4 - 0.5 * matrix[:, NUMBER]))
  return matrix, (charged_off & (matrix[:, SEPARATES] == 0)).astype("int64")


MATRIX, TARGET = _make(ROWS)


@pytest.fixture(autouse=True)
def as_in_a_search():
  with fitting_here():
    yield


@pytest.fixture(scope="module")
def pilot():
  drawn = Pilot.draw(MATRIX, TARGET)
  assert drawn is not None
  return drawn


def _walk(pilot, known=None, **settings):
  classifier = BoundedLogisticRegression(**({"tol": 1e-7} | settings))
  starts = PilotedStarts(classifier, pilot, known or {})
  begun = []

  def lead(inverse_penalty, last):
    begun.append(starts(inverse_penalty, last))
    return begun[-1]

  solutions, iterations, solved = [], [], {}
  fits = classifier.fit_path(MATRIX, TARGET, INVERSE_PENALTIES, lead=lead)
  for inverse_penalty, fitted in zip(INVERSE_PENALTIES, fits, strict=True):
    solutions.append(fitted.solution)
    iterations.append(int(fitted.n_iter_[0]))
    solved[inverse_penalty] = starts.complete(fitted.solution)
  return solutions, iterations, solved, begun


@pytest.mark.parametrize("rows", [29_990, 30_000])
def test_few_loans_are_fitted_without_a_pilot(rows):
  drawn = Pilot.draw(MATRIX[:rows], TARGET[:rows])

  assert (drawn is None) == (rows < 30_000)


@pytest.mark.parametrize(("charged_off", "is_drawn"), [(0, False), (99, False), (100, True)])
def test_an_outcome_that_is_rare_in_every_tenth_row_gets_no_pilot(charged_off, is_drawn):
  target = np.zeros(ROWS, dtype="int64")
  target[: charged_off * 10] = 1
  target[5] = 1

  assert (Pilot.draw(MATRIX, target) is not None) is is_drawn


@pytest.mark.parametrize(("rows", "is_common"), [(99, False), (100, True)])
def test_a_column_moves_where_a_hundred_rows_of_the_pilot_have_it(rows, is_common):
  matrix = MATRIX.copy(order="F")
  matrix[:, RARE] = np.arange(ROWS) % 10 != 0  # only rows that the pilot does not have
  matrix[: rows * 10 : 10, RARE] = 1

  drawn = Pilot.draw(matrix, TARGET)

  assert drawn is not None
  assert drawn.moves[1 + RARE] == is_common


@pytest.mark.parametrize("l1_ratio", [0, 1])
@pytest.mark.parametrize("class_weight", [None, "balanced"])
def test_the_solutions_are_those_without_a_pilot_in_fewer_iterations(pilot, l1_ratio, class_weight):
  settings = {"l1_ratio": l1_ratio, "class_weight": class_weight}
  plain, slow, _, _ = _walk(None, **settings)
  piloted, fast, _, _ = _walk(pilot, **settings)

  for ours, theirs in zip(piloted, plain, strict=True):
    # Where the category separates, a gradient below the tolerance leaves its coefficient free.
    np.testing.assert_allclose(ours[[0, 1]], theirs[[0, 1]], atol=1e-4)
    np.testing.assert_allclose(_pd(ours), _pd(theirs), atol=1e-5)
  assert sum(fast) <= 0.7 * sum(slow), (fast, slow)


def _pd(solution):
  return 1 / (1 + np.exp(-solution[0] - MATRIX @ solution[1:]))


def test_a_start_is_the_last_solution_moved_as_the_pilot_has_moved(pilot):
  _, _, solved, begun = _walk(pilot)

  before, now = solved[0.01], solved[0.1]
  moved = before.whole + now.pilot - before.pilot
  np.testing.assert_allclose(begun[1][:3], moved[:3], atol=1e-12)
  # What is rare stays where it is: forty rows may all have been paid by chance.
  assert begun[1][1 + RARE] == before.whole[1 + RARE]
  assert now.pilot[1 + RARE] != before.pilot[1 + RARE]


def test_a_path_that_hardly_moves_goes_on_without_its_pilot(pilot):
  starts = PilotedStarts(BoundedLogisticRegression(tol=1e-4), pilot, {})
  last = starts(1e6, None)
  starts.complete(last)

  assert starts(1e7, last) is last
  assert starts.complete(last).pilot is not None
  assert starts(1e8, last) is last
  assert starts.complete(last).pilot is None  # it was not asked


def test_a_pilot_that_has_not_converged_gives_no_start(pilot):
  starts = PilotedStarts(BoundedLogisticRegression(max_iter=1), pilot, {})
  last = np.zeros(4)

  assert starts(0.01, None) is None
  assert starts.complete(last).pilot is None
  assert starts(0.1, last) is last
