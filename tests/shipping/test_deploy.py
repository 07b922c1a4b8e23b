import contextlib
import os
import re
import shlex
import sys
import time

import httpx
import pytest

from tests.conftest import PROJECT
from tests.shipping.conftest import run
from tests.shipping.stand_in_cloud import BREAKER, BROKEN, GOOD, NEXT, build_images, fetch, front, load, started
from tests.support.local_server import serve
from tests.support.waiting import wait_until
from tools.shipping.ecs import SERVICES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud(engine, tmp_path_factory):
	build_images(engine, tmp_path_factory.mktemp("image"))
	with started(engine, tmp_path_factory.mktemp("cloud")) as made:
		made.make_images()
		for name in ("staging", "production"):
			made.make_environment(name)
			wait_for(lambda name=name: len(made.api_addresses(name)) == 2)
		yield made


def wait_for(condition):
	wait_until(condition, within_s=60)


def who_answers(addresses):
	"""Commits of the tasks; a task that has just ended counts as none."""
	found = set()
	for address in list(addresses):
		with contextlib.suppress(OSError):
			found.add(fetch(address, 8000, "/healthz")[1])
	return found


class Ran:
	def __init__(self, cloud, name, *words, **changes):
		command = (sys.executable, "-m", "tools.shipping.deploy", "--environment", name, "--pause", "0.5", *words)
		keep = {key: value for key, value in os.environ.items() if not key.startswith("JIRA")}
		done = run(*command, env=keep | cloud.variables | changes, timeout=400)
		self.code, self.said, self.complaint = done.returncode, done.stdout, done.stderr
		assert "Traceback" not in self.complaint, self.complaint


def refused(cloud, message, *words, code=2, name="staging", **changes):
	ran = Ran(cloud, name, *(words or ("apply", "--sha", NEXT)), **changes)
	assert (ran.code, message in ran.complaint) == (code, True), ran.complaint
	return ran.complaint


def documented(verb, sha=""):
	"""The words of docs/shipping.md after the environment."""
	text = (PROJECT / "docs" / "shipping.md").read_text()
	command = re.search(rf"tools\.shipping\.deploy --environment staging ({verb}.*)", text)[1]
	return shlex.split(command.replace("$(git rev-parse HEAD)", sha))


def running(cloud, name="staging"):
	"""The revisions that run, by ECS itself; the last is that of the schedules."""
	ecs, cluster = cloud.client("ecs"), f"loantap-{name}"
	services = ecs.describe_services(cluster=cluster, services=list(SERVICES))["services"]
	known = ecs.list_task_definitions(familyPrefix=f"{cluster}-batch", sort="DESC")
	arns = [one["taskDefinition"] for one in services] + known["taskDefinitionArns"][:1]
	return [ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"] for arn in arns]


def commits(cloud, name="staging"):
	definitions = running(cloud, name)
	return [one["containerDefinitions"][0]["image"].rpartition(":")[2] for one in definitions]


def test_a_commit_runs_then_a_broken_one_is_put_back_without_a_lost_request_then_people_go_back(cloud):
	with front(cloud, "staging") as (port, ready):
		wait_for(lambda: len(ready) == 2)

		good = Ran(cloud, "staging", *documented("apply", NEXT))
		assert good.code == 0, good.complaint
		assert commits(cloud) == [NEXT] * 4
		wait_for(lambda: len(ready) == 2 and who_answers(ready) == {NEXT})

		begun = time.monotonic()
		with load(port) as answers:
			broken = Ran(cloud, "staging", "apply", "--sha", BROKEN)
			seconds = time.monotonic() - begun
		assert broken.code == 1, broken.said
		assert seconds < 180
		assert set(answers) == {(200, NEXT)}
		assert answers.total() > 20
		assert commits(cloud) == [NEXT] * 4
		assert "circuit breaker" in broken.complaint
		assert "exit code 1" in broken.complaint
		assert re.search(r"api rolled back .*; running: loantap-staging-api:", broken.complaint)

	back = Ran(cloud, "staging", *documented("rollback"))
	assert back.code == 0, back.complaint
	assert commits(cloud) == [GOOD] * 4
	said = Ran(cloud, "staging", *documented("status")).said
	assert said.count(GOOD) == 4
	wait_for(lambda: "2 of 2 running, COMPLETED" in Ran(cloud, "staging", "status").said)

	refused(cloud, "api: there is no steady revision before loantap-staging-api:1", "rollback")
	assert commits(cloud) == [GOOD] * 4


def test_what_no_circuit_breaker_stops_is_put_back_when_it_takes_too_long(cloud):
	before = commits(cloud, "production")
	ecs, service = cloud.client("ecs"), {"cluster": "loantap-production", "service": "api"}
	none = {"deploymentCircuitBreaker": {"enable": False, "rollback": False}}
	ecs.update_service(**service, deploymentConfiguration=none)
	words = ("--minutes", "0.15", "apply", "--sha", BROKEN)
	said = refused(cloud, "api too slow (", *words, code=1, name="production")
	ecs.update_service(**service, deploymentConfiguration=BREAKER)
	assert "No Jira issue: JIRA_PROJECT is empty: set it in Bitbucket" in said
	assert commits(cloud, "production") == before


def test_a_new_revision_keeps_all_but_the_image(cloud):
	before = running(cloud, "production")
	assert Ran(cloud, "production", "apply", "--sha", NEXT).code == 0
	for old, new in zip(before, running(cloud, "production"), strict=True):
		assert new["revision"] > old["revision"]
		assert new["containerDefinitions"][0]["image"].endswith(NEXT)
		new["containerDefinitions"][0]["image"] = old["containerDefinitions"][0]["image"]
		for key in ("revision", "taskDefinitionArn", "registeredAt"):
			old[key] = new[key]
		assert new == old


def test_a_failure_in_production_keeps_its_exit_code_when_jira_is_down(cloud):
	down = {"JIRA_URL": "http://127.0.0.1:1", "JIRA_USER": "me", "JIRA_TOKEN": "hush-hush"}
	message = f"loantap/api:{'d' * 40} is not in ECR of eu-west-1"
	words = ("apply", "--sha", "d" * 40)
	said = refused(cloud, message, *words, name="production", JIRA_PROJECT="LOAN", **down)
	assert "No Jira issue: ConnectError" in said
	assert "hush-hush" not in said


@pytest.mark.parametrize(
	("changes", "message"),
	[
		({"AWS_REGION": ""}, "AWS_REGION is empty: set it in Bitbucket, Repository settings"),
		({"AWS_REGION": "eu-wets-1"}, "'eu-wets-1' is no region of AWS, perhaps eu-west-1"),
		({"BITBUCKET_BUILD_NUMBER": "7"}, "AWS_ROLE_ARN is empty: set it in Bitbucket"),
		({"BITBUCKET_BUILD_NUMBER": "7", "AWS_ROLE_ARN": "arn:aws:iam::0:role/x"}, "BITBUCKET_STEP_OIDC_TOKEN is empty"),
	],
)
def test_bad_variables_are_named_before_anything_is_changed(cloud, changes, message):
	refused(cloud, message, **changes)


def test_a_schedule_that_names_a_revision_is_refused(cloud):
	cloud.schedule("staging", "loantap-staging-batch:1")
	refused(cloud, "names the revision loantap-staging-batch:1")
	made = {"Name": "loantap-staging-batch-1", "GroupName": "loantap-staging"}
	cloud.client("scheduler").delete_schedule(**made)


def test_a_second_deployment_is_refused_while_one_is_under_way(cloud):
	ecs, service = cloud.client("ecs"), {"cluster": "loantap-staging", "service": "mlflow"}
	# Neither a task more nor one less: the new task has to wait.
	no_room = {"maximumPercent": 100, "minimumHealthyPercent": 100}
	ecs.update_service(**service, forceNewDeployment=True, deploymentConfiguration=no_room)
	refused(cloud, "mlflow: a deployment of loantap-staging-mlflow:", code=3)
	ecs.update_service(**service, deploymentConfiguration=BREAKER)
	wait_for(lambda: "IN_PROGRESS" not in Ran(cloud, "staging", "status").said)


def test_a_missing_service_is_named(cloud):
	ecs, cluster = cloud.client("ecs", "eu-west-2"), "loantap-staging"
	ecs.create_cluster(clusterName=cluster)
	container = {"name": "api", "image": "none"}
	ecs.register_task_definition(family="one", containerDefinitions=[container])
	for part in ("api", "dashboard"):
		ecs.create_service(cluster=cluster, serviceName=part, taskDefinition="one", desiredCount=0)
	message = "loantap-staging has no service mlflow in eu-west-2"
	refused(cloud, message, "status", AWS_REGION="eu-west-2")


def test_credentials_that_expire_while_services_change_do_not_say_that_nothing_was_changed(cloud):
	told = '{"__type": "ExpiredTokenException", "message": "The token has expired"}'

	def pass_on(path, body, headers):
		if headers.get("X-Amz-Target", "").endswith("UpdateService"):
			return 400, told
		url = f"{cloud.url}{path}"
		kept = {key: value for key, value in headers.items() if key != "Host"}
		method = "GET" if path.startswith("/schedules") else "POST"
		answer = httpx.request(method, url, content=body, headers=kept)
		return answer.status_code, answer.text

	with serve(pass_on) as port:
		elsewhere = {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}"}
		refused(cloud, "Services were changing when AWS refused", code=4, **elsewhere)


def test_a_rollback_brings_batch_to_the_commit_of_the_services(cloud):
	for sha in (GOOD, NEXT):
		assert Ran(cloud, "production", "apply", "--sha", sha).code == 0
	# As Terraform does when it changes a definition: one more of the commit in use.
	newest = running(cloud, "production")[3]
	kept = ("family", "containerDefinitions", "networkMode", "cpu", "memory")
	cloud.client("ecs").register_task_definition(**{key: newest[key] for key in kept})

	back = Ran(cloud, "production", "rollback")
	assert back.code == 0, back.complaint
	assert commits(cloud, "production") == [GOOD] * 4
