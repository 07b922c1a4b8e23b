import threading
import warnings
from concurrent.futures import CancelledError

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning

from loantap.model.training.logistic import BoundedLogisticRegression
from loantap.model.training.path_search import collect, group_by_balance, list_paths, share_out
from loantap.model.training.pilot import Pilot, PilotedStarts
from loantap.model.training.threads import fitting_here, fitting_threads
from tests.conftest import training_options

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


OPTIONS = training_options(
	"lending", balancing=("smote", "class_weights", "none"), l1_ratios=(0, 1), inverse_penalties=(100, 0.01, 1)
)
CANDIDATES = OPTIONS.candidates
LABELS = [candidate.label for candidate in CANDIDATES]


@pytest.mark.parametrize("jobs", [1, 2, 3, 4, 5, 8])
def test_every_candidate_is_tried_once_on_every_fold(jobs):
	tasks = share_out(5, group_by_balance(CANDIDATES), jobs)
	tried = sorted((t.fold, index) for t in tasks for way in t.ways for index in way)

	assert tried == [(fold, index) for fold in range(5) for index in range(len(CANDIDATES))]


def test_the_last_fold_is_shared_where_threads_would_have_nothing_to_do():
	ways = group_by_balance(CANDIDATES)

	assert [(t.fold, len(t.ways)) for t in share_out(5, ways, 2)] == [(0, 2), (1, 2), (2, 2), (3, 2), (4, 1), (4, 1)]
	# What resamples takes longest, so it starts first.
	assert [t.ways for t in share_out(5, ways, 2)[-2:]] == [[ways[1]], [ways[0]]]
	assert [len(t.ways) for t in share_out(5, ways, 1)] == [2] * 5


def test_each_path_goes_from_the_strongest_penalty_and_l1_starts_from_l2():
	plain, _ = group_by_balance(CANDIDATES)
	found = []
	for path in list_paths(CANDIDATES, plain):
		found.append(([LABELS[index] for index in path.members], sorted(path.starts)))
		assert path.penalties == [0.01, 1.0, 100.0]
		path.solutions.update(dict.fromkeys(path.penalties))

	def of(way, penalty):
		return [f"{way} {penalty} C={c}" for c in ("0.01", "1", "100")]

	assert found == [
		(of("class_weights", "L2"), []),
		(of("class_weights", "L1"), [0.01, 1.0, 100.0]),
		(of("none", "L2"), []),
		(of("none", "L1"), [0.01, 1.0, 100.0]),
	]


def test_scores_come_back_in_the_order_of_folds_and_candidates():
	tasks = share_out(3, [[1], [0]], 2)
	done = [{index: {"f2": 10.0 * t.fold + index} for way in t.ways for index in way} for t in tasks]

	assert collect(zip(tasks, done, strict=True), 3, 2) == [
		[{"f2": 0.0}, {"f2": 1.0}],
		[{"f2": 10.0}, {"f2": 11.0}],
		[{"f2": 20.0}, {"f2": 21.0}],
	]


def test_what_was_interrupted_ends_after_the_fit_at_hand():
	fits = []
	has_begun, is_interrupted = threading.Event(), threading.Event()

	def search(threads):
		for number in range(100):
			threads.go_on()
			fits.append(number)
			has_begun.set()
			is_interrupted.wait(10)

	tasks = []

	def interrupt_two_searches():
		with fitting_threads(1) as threads:
			tasks.extend(threads.submit(search, threads) for _ in range(2))
			has_begun.wait(10)
			threading.Timer(0.05, is_interrupted.set).start()
			raise KeyboardInterrupt

	with pytest.raises(KeyboardInterrupt):
		interrupt_two_searches()

	running, waiting = tasks
	assert fits == [0]
	assert isinstance(running.exception(), CancelledError)
	assert waiting.cancelled()


def test_what_does_not_converge_is_not_told_by_a_thread_and_later_is():
	def warn():
		warnings.warn("not converged", ConvergenceWarning, stacklevel=1)

	with fitting_threads(2) as threads:
		[threads.submit(warn).result() for _ in range(4)]

	with pytest.warns(ConvergenceWarning):
		warn()
