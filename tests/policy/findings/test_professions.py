import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loantap.policy.findings.segmentations import group_professions


def group(title):
  return str(group_professions(pd.Series([title], dtype="str"))[0])


@pytest.mark.parametrize(
  ("title", "expected"),
  [
    ("Teacher", "teacher"),
    ("teacer", "teacher"),  # a letter less
    ("teaccher", "teacher"),  # a letter more
    ("taecher", "teacher"),  # two letters swapped
    ("RN", "nurse"),
    ("Barn keeper", "other"),  # holds "rn", is no nurse
    ("Sr. Projct Mgr", "project manager"),
    ("program manager", "programme manager"),
    ("Manager of projects", "manager"),  # the words are not in a row
    ("Directory clerk", "office or administration"),
    ("Vice-President", "executive"),
    ("Resident Physician", "doctor, therapist or pharmacist"),  # no misspelt president
    ("???", "other"),
    (None, "not stated"),
  ],
)
def test_a_title_is_grouped_by_its_words(title, expected):
  assert group(title) == expected


def test_the_index_is_kept_and_titles_that_repeat_are_told_alike():
  titles = pd.Series(["RN", None, "nurse", "RN"], index=[7, 3, 5, 1], dtype="str")

  grouped = group_professions(titles)

  assert grouped.to_dict() == {7: "nurse", 3: "not stated", 5: "nurse", 1: "nurse"}


@given(st.text(max_size=40))
def test_any_text_has_a_group_whatever_its_case(title):
  letters = "".join(letter for letter in title if letter.isascii())

  assert group(letters) != "not stated"
  assert group(letters.upper()) == group(letters.lower())
