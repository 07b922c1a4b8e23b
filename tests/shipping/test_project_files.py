import re
from importlib.metadata import PackageNotFoundError, requires

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import PROJECT
from tests.shipping.conftest import TARGETS, check_schema, run
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


FILE = PROJECT / "compose.yaml"
SERVICES = yaml.safe_load(FILE.read_text())["services"]


def test_it_is_valid():
	check_schema("compose-spec", FILE)


def test_all_images_are_built_from_their_target():
	built = {name: each["build"]["target"] for name, each in SERVICES.items() if "build" in each}

	assert built == {target: target for target in TARGETS}


def test_no_secret_is_in_it():
	told = {name for service in SERVICES.values() for name in service.get("environment", {})}
	secret = {name for name in told if re.search("PASSWORD|SECRET|TOKEN|KEY|AUDIT|BACKEND", name)}

	assert secret == {"POSTGRES_PASSWORD_FILE"}
	assert not re.search(r"(?m)^[^#]*://[^/\s]*:[^/\s]*@", FILE.read_text())
	assert "/secrets/" in (PROJECT / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_writes_only_to_its_volume(name):
	service = SERVICES[name]

	assert service["read_only"] is True
	assert service["volumes"]
	assert service["tmpfs"]


@pytest.mark.parametrize("name", SERVICES)
def test_ports_are_those_of_this_machine_alone(name):
	assert all(port.startswith("127.0.0.1:") for port in SERVICES[name].get("ports", ()))


@pytest.mark.parametrize("code", [0, 1])
def test_a_service_starts_whether_or_not_the_bucket_answers(code, tmp_path):
	task = tmp_path / "loantap-task"
	task.write_text(f'#!/bin/sh\necho "$@"; exit {code}\n')
	task.chmod(0o755)
	variables = {"PATH": f"{tmp_path}:/bin", "LOANTAP_BUCKET": "b", "LOANTAP_FETCHED": "--only x"}
	ended = run("/bin/sh", PROJECT / "tools/shipping/start.sh", "echo", "begun", env=variables)

	assert ended.stdout == "restore --only x --replace --if-any\nbegun\n"
	assert ("nothing was fetched from b" in ended.stderr) is bool(code)


LOCKS = PROJECT / "requirements"
# Of these an image has the package alone; the Dockerfile says why.
ALONE = {"api": {"mlflow", "databricks-sdk", "skops"}, "batch": {"cvxpy"}}


def names_of(image):
	return (LOCKS / f"image-{image}.names").read_text().split()


def list_needs(name):
	"""The packages it needs on Linux, those of its extras aside; none where it is not installed."""
	try:
		needs = map(Requirement, requires(name) or ())
	except PackageNotFoundError:
		return set()
	environment = {"extra": "", "sys_platform": "linux", "platform_machine": "x86_64"}
	return {canonicalize_name(each.name) for each in needs if each.marker is None or each.marker.evaluate(environment)}


@pytest.mark.parametrize("image", [*TARGETS, "build"])
def test_each_name_has_one_pin(image):
	files = [PROJECT / "requirements.txt"]
	files += [LOCKS / f"{name}.txt" for name in ("run", "serving", "sources")]
	lines = {line for path in files for line in path.read_text().splitlines()}
	pinned = [m[0] for line in lines if (m := re.match(r"[a-z0-9][a-z0-9._-]*(?===)", line))]
	names = names_of(image)

	assert names == sorted(set(names))
	assert [name for name in names if pinned.count(name) != 1] == []


@pytest.mark.parametrize("image", TARGETS)
def test_what_a_package_needs_is_in_the_image(image):
	names = set(names_of(image))
	alone = ALONE.get(image, set())
	absent = {name: list_needs(name) - names for name in names - alone}

	assert {name: needs for name, needs in absent.items() if needs} == {}
