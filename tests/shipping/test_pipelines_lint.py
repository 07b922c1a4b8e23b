import pytest

from tests.conftest import PROJECT
from tests.shipping.conftest import check_schema
from tools.shipping.jira_keys import find_unnamed
from tools.shipping.pipelines_lint import lint

OURS = PROJECT / "bitbucket-pipelines.yml"
MAKEFILE = "lint: x\n\t@a\nimage:\n"
GOOD = """
image: python:3.11.14-bookworm
definitions:
  caches: {uv: ~/.cache/uv}
  services: {db: {image: postgres:15.8.0}}
pipelines:
  default:
    - parallel:
        - step:
            name: Lint
            max-time: 5
            caches: [uv, pip]
            services: [db, docker]
            script:
              - apt-get install make git
              - A=1 make -j 2 lint ARGS="--a b" && make --silent .venv/.ready
              - pipe: atlassian/slack-notify:2.3.0
  custom:
    other:
      - stage:
          name: All
          steps:
            - step: {max-time: 5, script: [make image]}
"""


def test_the_projects_own_file_has_no_fault():
  assert lint(OURS.read_text(), (PROJECT / "Makefile").read_text()) == []


def test_the_projects_own_file_holds_for_bitbuckets_schema():
  check_schema("bitbucket-pipelines", OURS)


def test_nothing_is_said_of_a_good_file():
  assert lint(GOOD, MAKEFILE) == []


@pytest.mark.parametrize(
  ("old", "new", "fault"),
  [
    ("pipelines:", "pipelin: 1\npipelines:", "top: 'pipelin' is no key here, perhaps 'pipel"),
    ("name: Lint", "nmae: Lint", "(no name): 'nmae' is no key here, perhaps 'name'"),
    ("[uv, pip]", "[uvv, pip]", "(Lint): caches: 'uvv' is not defined, perhaps 'uv'"),
    ("[db, docker]", "[dbs]", "(Lint): services: 'dbs' is not defined, perhaps 'db'"),
    ("slack-notify:2.3.0", "slack-notify:2", "(Lint): atlassian/slack-notify:2 is not pinned"),
    ("python:3.11.14-bookworm", "python:3.11", "top: python:3.11 is not pinned"),
    ("postgres:15.8.0", "postgres:latest", "service db: postgres:latest is not pinned"),
    ("            max-time: 5\n", "", "(Lint): has no max-time"),
    ("make image", "make images", "make images: the Makefile has no such target, perhaps 'i"),
    ('ARGS="--a b"', "ARGS='--a b", "No closing quotation"),
  ],
)
def test_each_fault_is_named_with_its_place(old, new, fault):
  assert old in GOOD
  faults = lint(GOOD.replace(old, new), MAKEFILE)
  assert len(faults) == 1
  assert fault in faults[0]


def test_branch_and_commits_name_the_projects_issues_only():
  subjects = {"a1": "LOAN-7 Offers", "b2": "Offers", "c3": "XLOAN-7 x", "d4": "Merge LOAN-12: x"}
  assert find_unnamed("LOAN", "feature/LOAN-7-offers", subjects) == ["commit b2: Offers", "commit c3: XLOAN-7 x"]
  assert find_unnamed("LOAN", "offers", {}) == ["branch 'offers'"]
  assert find_unnamed("LOAN", "LOAN-0", {}) == ["branch 'LOAN-0'"]
