import time

import pytest

from loantap.measures.parallel import _AHEAD, map_ahead


def test_results_come_in_the_order_of_the_items():
  def slow_at_first(number):
    time.sleep(0.02 if number < 2 else 0)
    return number**2

  assert list(map_ahead(slow_at_first, range(20))) == [n**2 for n in range(20)]


def test_only_a_few_items_are_made_before_their_results_are_taken():
  made = []

  def draw():
    for number in range(50):
      made.append(number)
      yield number

  for taken, _ in enumerate(map_ahead(lambda number: number, draw()), start=1):
    assert len(made) <= taken + _AHEAD

  assert made == list(range(50))


def test_an_error_of_an_item_is_the_callers():
  with pytest.raises(ZeroDivisionError):
    list(map_ahead(lambda number: 1 // number, [1, 0, 1]))


def test_nothing_gives_nothing():
  assert list(map_ahead(str, [])) == []
