"""Threads that fit models and measure resamples."""

from __future__ import annotations

import threading
import time
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError, Future

import pytest
from sklearn.exceptions import ConvergenceWarning

from loantap.model.threads import _AHEAD, FittingThreads, fitting_threads, map_ahead


class TestFitting:
    def test_what_was_interrupted_ends_after_the_fit_at_hand(self) -> None:
        fits: list[int] = []
        has_begun, is_interrupted = threading.Event(), threading.Event()

        def search(threads: FittingThreads) -> None:
            for number in range(100):
                threads.go_on()
                fits.append(number)
                has_begun.set()
                is_interrupted.wait(10)

        tasks: list[Future[None]] = []

        def interrupt_two_searches() -> None:
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

    def test_without_an_error_everything_is_done(self) -> None:
        with fitting_threads(2) as threads:
            results = list(threads.map(lambda number: (threads.go_on(), number)[1], range(9)))

        assert results == list(range(9))

    def test_what_does_not_converge_is_not_told_by_a_thread_and_later_is(self) -> None:
        def warn() -> None:
            warnings.warn("not converged", ConvergenceWarning, stacklevel=1)

        with fitting_threads(2) as threads:
            [threads.submit(warn).result() for _ in range(4)]

        with pytest.warns(ConvergenceWarning):
            warn()


class TestMapAhead:
    def test_results_come_in_the_order_of_the_items(self) -> None:
        def slow_at_first(number: int) -> int:
            time.sleep(0.02 if number < 2 else 0)
            return number**2

        assert list(map_ahead(slow_at_first, range(20))) == [n**2 for n in range(20)]

    def test_only_a_few_items_are_made_before_their_results_are_taken(self) -> None:
        made: list[int] = []

        def draw() -> Iterator[int]:
            for number in range(50):
                made.append(number)
                yield number

        for taken, _ in enumerate(map_ahead(lambda number: number, draw()), start=1):
            assert len(made) <= taken + _AHEAD

        assert made == list(range(50))

    def test_an_error_of_an_item_is_the_callers(self) -> None:
        with pytest.raises(ZeroDivisionError):
            list(map_ahead(lambda number: 1 // number, [1, 0, 1]))

    def test_nothing_gives_nothing(self) -> None:
        assert list(map_ahead(str, [])) == []
