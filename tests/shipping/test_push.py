import base64
import json
import os
import shutil
import subprocess
import sys

import httpx
import pytest

from tests.conftest import PROJECT, require
from tests.shipping.conftest import run
from tests.support.local_server import serve
from tests.support.stand_in_aws import aws_variables
from tools.shipping.ecs import FAMILIES
from tools.sources.processes import Process, free_port

pytestmark = pytest.mark.slow
SHA = "e" * 40
USER, PASSWORD = "AWS", "made-up"


@pytest.fixture
def registry(tmp_path):
	"""A registry of images at a port of loopback, which lets in by password alone."""
	program = shutil.which("docker-registry", path=f"/usr/bin:{os.environ['PATH']}")
	require(bool(program), "docker-registry is not installed")
	port = free_port()
	# Made by `htpasswd -B` of "made-up".
	hashed = "$2b$04$cyPX6CBCF73lVJFYZqVvKuk8RSrzURJmUZuQssY0hW6sDKDf1whZW"
	(tmp_path / "users").write_text(f"{USER}:{hashed}\n")
	settings = {
		"version": 0.1,
		"storage": {"filesystem": {"rootdirectory": str(tmp_path / "images")}},
		"http": {"addr": f"127.0.0.1:{port}"},
		"auth": {"htpasswd": {"realm": "loantap", "path": str(tmp_path / "users")}},
	}
	(tmp_path / "registry.yml").write_text(json.dumps(settings))
	log = tmp_path / "log"
	process = Process.start([program, "serve", tmp_path / "registry.yml"], log)
	try:
		process.wait_for_port(port, log, within_s=10)
		yield f"127.0.0.1:{port}"
	finally:
		process.end(within_s=30)


@pytest.fixture
def push(engine, registry, tmp_path):
	"""Runs the command; ECR is a server that gives a token for the registry."""
	(tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY registry.yml /\n")
	names = [f"loantap/{part}:{SHA}" for part in FAMILIES]
	engine.run("build", "--quiet", *(f"--tag={name}" for name in names), str(tmp_path))

	def push_them(password=PASSWORD, there=()):
		token = base64.b64encode(f"{USER}:{password}".encode()).decode()
		given = {"authorizationToken": token, "proxyEndpoint": f"https://{registry}"}

		def answer(_, body, headers):
			if not headers["X-Amz-Target"].endswith("DescribeImages"):
				return 200, json.dumps({"authorizationData": [given]})
			if json.loads(body)["repositoryName"] in there:
				return 200, json.dumps({"imageDetails": [{"imageTags": [SHA]}]})
			return 400, json.dumps({"__type": "ImageNotFoundException"})

		with serve(answer) as port:
			variables = aws_variables(f"http://127.0.0.1:{port}") | {"DOCKER_CONFIG": str(tmp_path / "docker")}
			return run(sys.executable, "-m", "tools.shipping.push", "--sha", SHA, env=engine.environment | variables)

	yield push_them
	engine.run("image", "rm", "--force", *names)


def test_what_ecr_does_not_have_of_a_commit_is_pushed(push, registry):
	ended = push(there=["loantap/mlflow"])
	assert ended.returncode == 0, ended.stderr
	assert PASSWORD not in ended.stdout + ended.stderr
	with httpx.Client(base_url=f"http://{registry}/v2/loantap", auth=(USER, PASSWORD)) as client:
		for part in FAMILIES:
			tags = client.get(f"/{part}/tags/list").json().get("tags")
			assert tags == (None if part == "mlflow" else [SHA])


def test_a_token_that_is_refused_ends_the_step(push):
	ended = push("expired")

	assert ended.returncode == 1
	assert "docker login failed" in ended.stderr
	assert "expired" not in ended.stderr


@pytest.fixture
def checkout(tmp_path):
	def git(*words, folder=tmp_path / "work"):
		named = {"GIT_AUTHOR_NAME": "a", "GIT_COMMITTER_NAME": "a"}
		mailed = {"GIT_AUTHOR_EMAIL": "a@b.c", "GIT_COMMITTER_EMAIL": "a@b.c"}
		subprocess.run(
			[shutil.which("git"), "-C", folder, *words],
			env=os.environ | named | mailed | {"GIT_CONFIG_GLOBAL": os.devnull},
			check=True,
			capture_output=True,
		)

	origin = tmp_path / "origin"
	origin.mkdir()
	git("init", "--quiet", "--initial-branch=main", folder=origin)
	git("commit", "--allow-empty", "--message=before us", folder=origin)
	git("clone", "--quiet", str(origin), str(tmp_path / "work"), folder=origin)
	git("checkout", "-b", "feature/LOAN-7-offers")
	git("commit", "--allow-empty", "--message=LOAN-7 Offers")
	git("commit", "--allow-empty", "--message=More of them")
	return tmp_path / "work"


@pytest.mark.parametrize(
	("changes", "code", "told"),
	[
		({}, 1, ["No key LOAN-N in commit", "More of them"]),
		({"BITBUCKET_BRANCH": "offers"}, 1, ["No key LOAN-N in branch 'offers'"]),
		({"JIRA_PROJECT": ""}, 2, ["JIRA_PROJECT is empty: set it in Bitbucket"]),
		({"BITBUCKET_PR_DESTINATION_BRANCH": "release"}, 2, ["origin/release"]),
	],
)
def test_a_pull_request_without_keys_is_stopped(checkout, changes, code, told):
	given = {"JIRA_PROJECT": "LOAN", "BITBUCKET_BRANCH": "feature/LOAN-7-offers", **changes}
	variables = os.environ | {"PYTHONPATH": str(PROJECT)} | given
	ended = run(sys.executable, "-m", "tools.shipping.jira_keys", cwd=checkout, env=variables)

	assert ended.returncode == code, ended.stderr
	assert all(words in ended.stderr for words in told)
	assert "before us" not in ended.stderr
	assert "LOAN-7 Offers" not in ended.stderr
