"""A deployment, its failure and the way back, on containers; what is refused before any of it."""

import http.server
import importlib.util
import os
import re
import shlex
import subprocess
import sys
import threading
import time

import pytest

from tests.conftest import PROJECT, require
from tests.shipping.stand_in_cloud import (
    BROKEN,
    GOOD,
    NEXT,
    Front,
    build_images,
    load,
    started,
)
from tools.shipping.engine import Engine, find_missing

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    missing = find_missing() + [
        name for name in ("boto3", "docker", "ministack") if importlib.util.find_spec(name) is None
    ]
    require(not missing, f"needs {', '.join(missing)}")
    with Engine.start() as engine:
        build_images(engine, tmp_path_factory.mktemp("image"))
        with started(engine.host, tmp_path_factory.mktemp("cloud")) as running:
            for name in ("staging", "production"):
                running.make_environment(name)
                wait_for(lambda name=name: len(running.api_addresses(name)) == 2)
            yield running


def wait_for(condition, seconds=60):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "not in time"
        time.sleep(0.2)


class Ran:
    def __init__(self, cloud, name, *words, **changes):
        command = [sys.executable, "-m", "tools.shipping.deploy", "--environment", name]
        keep = {key: value for key, value in os.environ.items() if not key.startswith("JIRA")}
        done = subprocess.run(
            [*command, "--pause", "0.5", "--minutes", "3", *words],
            env=keep | cloud.variables | changes,
            capture_output=True,
            text=True,
            timeout=400,
            check=False,
        )
        self.code, self.said, self.complaint = done.returncode, done.stdout, done.stderr


def documented(verb, sha=""):
    """The words of docs/shipping.md after the environment."""
    text = (PROJECT / "docs" / "shipping.md").read_text()
    command = re.search(rf"tools\.shipping\.deploy --environment staging ({verb}.*)", text)[1]
    return shlex.split(command.replace("$(git rev-parse HEAD)", sha))


def revisions(cloud, name="staging"):
    """What ECS itself says runs, and the revision that schedules run."""
    ecs, cluster = cloud.client("ecs"), f"loantap-{name}"
    services = ecs.describe_services(cluster=cluster, services=["api", "dashboard", "mlflow"])
    known = ecs.list_task_definitions(familyPrefix=f"{cluster}-batch", sort="DESC")
    arns = [one["taskDefinition"] for one in services["services"]] + known["taskDefinitionArns"][:1]
    return [
        ecs.describe_task_definition(taskDefinition=arn)["taskDefinition"]["containerDefinitions"][
            0
        ]["image"].rpartition(":")[2]
        for arn in arns
    ]


def test_a_commit_runs_then_a_broken_one_is_put_back_without_a_lost_request_then_people_go_back(
    cloud,
):
    with Front(cloud, "staging") as front:
        wait_for(lambda: front.ready == 2)

        good = Ran(cloud, "staging", *documented("apply", NEXT))
        assert good.code == 0, good.complaint
        assert revisions(cloud) == [NEXT] * 4
        wait_for(lambda: front.ready == 2)

        begun = time.monotonic()
        with load(front.port) as answers:
            broken = Ran(cloud, "staging", "apply", "--sha", BROKEN)
            seconds = time.monotonic() - begun
        assert broken.code == 1, broken.said
        assert seconds < 180
        assert set(answers) == {(200, NEXT)}
        assert answers.total() > 20
        assert revisions(cloud) == [NEXT] * 4
        assert "circuit breaker" in broken.complaint
        assert "exit code 1" in broken.complaint
        assert "running: loantap-staging-api:2" in broken.complaint

    back = Ran(cloud, "staging", *documented("rollback"))
    assert back.code == 0, back.complaint
    assert revisions(cloud) == [GOOD] * 4
    said = Ran(cloud, "staging", *documented("status")).said
    assert said.count(GOOD) == 4
    wait_for(lambda: "2 of 2 running, COMPLETED" in Ran(cloud, "staging", "status").said)

    further = Ran(cloud, "staging", "rollback")
    assert further.code == 2
    assert "api: there is no steady revision before loantap-staging-api:1" in further.complaint
    assert revisions(cloud) == [GOOD] * 4


def test_what_no_circuit_breaker_stops_is_put_back_when_it_takes_too_long(cloud):
    before = revisions(cloud, "production")
    ecs, service = cloud.client("ecs"), {"cluster": "loantap-production", "service": "api"}
    breaker = {"enable": False, "rollback": False}
    ecs.update_service(**service, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    ran = Ran(cloud, "production", "--minutes", "0.15", "apply", "--sha", BROKEN)
    breaker = {"enable": True, "rollback": True}
    ecs.update_service(**service, deploymentConfiguration={"deploymentCircuitBreaker": breaker})
    assert ran.code == 1, ran.complaint
    assert "api too slow (loantap-production-api:" in ran.complaint
    assert "No Jira issue: JIRA_PROJECT is empty: set it in Bitbucket" in ran.complaint
    assert revisions(cloud, "production") == before


def test_a_new_revision_keeps_all_but_the_image(cloud):
    ecs = cloud.client("ecs")
    family = "loantap-production-dashboard"
    before = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert Ran(cloud, "production", "apply", "--sha", NEXT).code == 0
    after = ecs.describe_task_definition(taskDefinition=family)["taskDefinition"]
    assert after["containerDefinitions"][0]["image"].endswith(NEXT)
    after["containerDefinitions"][0]["image"] = before["containerDefinitions"][0]["image"]
    changing = {"revision", "taskDefinitionArn", "registeredAt"}
    assert {key: after[key] for key in after if key not in changing} == {
        key: before[key] for key in before if key not in changing
    }


def test_a_failure_in_production_keeps_its_exit_code_when_jira_is_down(cloud):
    down = {
        "JIRA_URL": "http://127.0.0.1:1",
        "JIRA_USER": "me@example.com",
        "JIRA_TOKEN": "hush-hush",
        "JIRA_PROJECT": "LOAN",
    }
    ran = Ran(cloud, "production", "apply", "--sha", "d" * 40, **down)
    assert ran.code == 2
    assert f"loantap/api:{'d' * 40} is not in ECR of eu-west-1" in ran.complaint
    assert "No Jira issue: ConnectError" in ran.complaint
    assert "hush-hush" not in ran.complaint


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"AWS_REGION": ""}, "AWS_REGION is empty: set it in Bitbucket, Repository settings"),
        ({"AWS_REGION": "eu-wets-1"}, "'eu-wets-1' is no region of AWS, perhaps eu-west-1"),
        ({"AWS_REGION": "eu-west-3"}, "no such cluster in eu-west-3: check AWS_REGION"),
        ({"BITBUCKET_BUILD_NUMBER": "7"}, "AWS_ROLE_ARN is empty: set it in Bitbucket"),
        (
            {"BITBUCKET_BUILD_NUMBER": "7", "AWS_ROLE_ARN": "arn:aws:iam::0:role/x"},
            "BITBUCKET_STEP_OIDC_TOKEN is empty",
        ),
    ],
)
def test_bad_variables_are_named_before_anything_is_changed(cloud, changes, message):
    ran = Ran(cloud, "staging", "apply", "--sha", NEXT, **changes)
    assert ran.code == 2
    assert message in ran.complaint
    assert "Traceback" not in ran.complaint


def test_a_short_sha_is_refused(cloud):
    ran = Ran(cloud, "staging", "apply", "--sha", "abc1234")
    assert ran.code == 2
    assert "'abc1234' is no full SHA" in ran.complaint


def test_a_schedule_that_names_a_revision_is_refused(cloud):
    cloud.schedule("staging", "loantap-staging-batch:1")
    try:
        ran = Ran(cloud, "staging", "apply", "--sha", NEXT)
    finally:
        name = "loantap-staging-loantap-staging-batch-1"
        cloud.client("scheduler").delete_schedule(Name=name)
    assert ran.code == 2
    assert "names the revision loantap-staging-batch:1" in ran.complaint


def test_a_second_deployment_is_refused_while_one_is_under_way(cloud):
    ecs, service = cloud.client("ecs"), {"cluster": "loantap-staging", "service": "mlflow"}
    # Neither a task more nor one less: the new task has to wait.
    no_room = {"maximumPercent": 100, "minimumHealthyPercent": 100}
    ecs.update_service(**service, forceNewDeployment=True, deploymentConfiguration=no_room)
    ran = Ran(cloud, "staging", "apply", "--sha", NEXT)
    room = no_room | {"maximumPercent": 200}
    ecs.update_service(
        **service,
        deploymentConfiguration=room
        | {"deploymentCircuitBreaker": {"enable": True, "rollback": True}},
    )
    assert ran.code == 3
    assert "mlflow: a deployment of loantap-staging-mlflow:" in ran.complaint
    wait_for(lambda: "IN_PROGRESS" not in Ran(cloud, "staging", "status").said)


def test_a_missing_service_is_named(cloud):
    ecs = cloud.client("ecs", "eu-west-2")
    ecs.create_cluster(clusterName="loantap-staging")
    family = {"family": "one", "containerDefinitions": [{"name": "api", "image": "none"}]}
    ecs.register_task_definition(**family)
    for part in ("api", "dashboard"):
        ecs.create_service(
            cluster="loantap-staging", serviceName=part, taskDefinition="one", desiredCount=0
        )
    ran = Ran(cloud, "staging", "status", AWS_REGION="eu-west-2")
    assert ran.code == 2
    assert "loantap-staging has no service mlflow in eu-west-2" in ran.complaint


@pytest.fixture
def expired(cloud):
    """AWS for one whose credentials have expired."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            body = b'{"__type": "ExpiredTokenException", "message": "The token has expired"}'
            self.send_response(400)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_expired_credentials_are_called_so(cloud, expired):
    ran = Ran(cloud, "staging", "status", AWS_ENDPOINT_URL=expired)
    assert ran.code == 2
    assert "DescribeServices: the credentials have expired" in ran.complaint
