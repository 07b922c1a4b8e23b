"""ministack on a Docker engine: a cluster whose tasks are containers, and a front like an ALB."""

import contextlib
import http.client
import http.server
import itertools
import os
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3

from tools.shipping.base_image import provide_base
from tools.shipping.engine import Engine

REGION = "eu-west-1"
REGISTRY = "127.0.0.1:1"  # nobody answers there, so the engine's own images are taken
# The API in small: ready a second after its start, and each answer names its commit.
APP = """
import http.server, os, sys, time
if os.environ["SHA"][0] == "c" and os.environ["PART"] == "api":
    time.sleep(0.3)
    sys.exit("no champion in the registry")
born = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        late = self.path == "/readyz" and time.monotonic() - born < 1
        body = os.environ["SHA"].encode()
        self.send_response(503 if late else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""
GOOD, NEXT, BROKEN = ("a" * 40, "b" * 40, "c" * 40)
PARTS = ("api", "dashboard", "mlflow", "batch")


def build_images(engine: Engine, folder: Path) -> None:
    """The images of three commits; the API of the last ends when it starts."""
    (folder / "app.py").write_text(APP)
    base = provide_base(engine)
    for sha in (GOOD, NEXT, BROKEN):
        (folder / "Dockerfile").write_text(f"FROM {base}\nENV SHA={sha}\nCOPY app.py /app.py\n")
        tags = [f"--tag={REGISTRY}/loantap/{part}:{sha}" for part in PARTS]
        engine.run("build", "--quiet", *tags, str(folder))


class Cloud:
    """What the tests ask of the stand-in: addresses, clients, an environment to deploy to."""

    def __init__(self, port: int) -> None:
        self.endpoint = f"http://127.0.0.1:{port}"
        self.variables = {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
            "AWS_ENDPOINT_URL": self.endpoint,
        }

    def client(self, service: str, region: str = REGION) -> Any:
        """A client of boto3."""
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",  # noqa: S106
        )

    def make_environment(self, name: str) -> None:
        """As infra/ leaves it: four families, three services, ECR, a schedule."""
        ecs, ecr = self.client("ecs"), self.client("ecr")
        cluster = f"loantap-{name}"
        ecs.create_cluster(clusterName=cluster)
        for part in PARTS:
            with contextlib.suppress(ecr.exceptions.RepositoryAlreadyExistsException):
                ecr.create_repository(repositoryName=f"loantap/{part}")
            for sha in (GOOD, NEXT, BROKEN):
                with contextlib.suppress(ecr.exceptions.ImageAlreadyExistsException):
                    ecr.put_image(
                        repositoryName=f"loantap/{part}",
                        imageTag=sha,
                        imageManifest=f'{{"schemaVersion": 2, "of": "{part}:{sha}"}}',
                    )
            container = {
                "name": part,
                "image": f"{REGISTRY}/loantap/{part}:{GOOD}",
                "command": ["python3", "/app.py"],
                "portMappings": [{"containerPort": 8000}],
                "environment": [
                    {"name": "PART", "value": part},
                    {"name": "LOANTAP_BUCKET", "value": f"{cluster}-data"},
                ],
            }
            family = f"{cluster}-{part}"
            ecs.register_task_definition(
                family=family,
                networkMode="awsvpc",
                requiresCompatibilities=["FARGATE"],
                cpu="512",
                memory="1024",
                containerDefinitions=[container],
            )
            if part != "batch":
                ecs.create_service(
                    cluster=cluster,
                    serviceName=part,
                    taskDefinition=family,
                    desiredCount=2 if part == "api" else 1,
                    launchType="FARGATE",
                    deploymentConfiguration={
                        "maximumPercent": 200,
                        "minimumHealthyPercent": 100,
                        "deploymentCircuitBreaker": {"enable": True, "rollback": True},
                    },
                )
        self.schedule(name, f"{cluster}-batch")

    def schedule(self, name: str, family: str) -> None:
        """A daily run of a family, or of a revision."""
        where = f"arn:aws:ecs:{REGION}:000000000000"
        self.client("scheduler").create_schedule(
            Name=f"loantap-{name}-{family.replace(':', '-')}",
            ScheduleExpression="rate(1 day)",
            FlexibleTimeWindow={"Mode": "OFF"},
            Target={
                "Arn": f"{where}:cluster/loantap-{name}",
                "RoleArn": "arn:aws:iam::000000000000:role/schedule",
                "EcsParameters": {"TaskDefinitionArn": f"{where}:task-definition/{family}"},
            },
        )

    def api_addresses(self, name: str) -> set[str]:
        """Where the running tasks of the API listen."""
        ecs, cluster = self.client("ecs"), f"loantap-{name}"
        arns = ecs.list_tasks(cluster=cluster, serviceName="api")["taskArns"]
        tasks = ecs.describe_tasks(cluster=cluster, tasks=arns)["tasks"] if arns else []
        return {
            detail["value"]
            for task in tasks
            if task["lastStatus"] == "RUNNING"
            for attachment in task["attachments"]
            for detail in attachment["details"]
            if detail["name"] == "privateIPv4Address"
        }


@contextlib.contextmanager
def started(docker_host: str, folder: Path) -> Iterator[Cloud]:
    """ministack on a free port of loopback; its containers go with it."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    environment = os.environ | {
        "DOCKER_HOST": docker_host,
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "SERVICES": "ecs,ecr,scheduler,sts,iam,logs",
        "IOT_MTLS_ENABLED": "0",  # or it listens on every address
    }
    with (folder / "ministack.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "ministack"], env=environment, stdout=log, stderr=log
        )
    try:
        _wait_for(port, process, folder / "ministack.log")
        yield Cloud(port)
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.1)
    raise RuntimeError(log.read_text()[-2000:])


def fetch(host: str, port: int, path: str, seconds: float = 5) -> tuple[int, str]:
    """Status and body."""
    with contextlib.closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


class Front:
    """What an ALB does: it asks tasks whether they are ready, and sends requests to those that are.

    A request is tried once; 502 if its task does not answer.
    """

    def __init__(self, cloud: Cloud, environment: str) -> None:
        self._cloud, self._environment = cloud, environment
        self._ready: list[str] = []
        self._turn = itertools.count()
        self._end = threading.Event()
        front = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, body = front._pass_on(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def log_message(self, *_: object) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_port
        self._threads = [
            threading.Thread(target=self._server.serve_forever, daemon=True),
            threading.Thread(target=self._check_health, daemon=True),
        ]

    @property
    def ready(self) -> int:
        """How many tasks it sends requests to."""
        return len(self._ready)

    def __enter__(self) -> "Front":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._server.shutdown()
        self._server.server_close()
        for thread in self._threads:
            thread.join()

    def _pass_on(self, path: str) -> tuple[int, str]:
        ready = self._ready
        if not ready:
            return 503, ""
        try:
            return fetch(ready[next(self._turn) % len(ready)], 8000, path)
        except OSError:
            return 502, ""

    def _check_health(self) -> None:
        while not self._end.wait(0.5):
            ready = []
            for address in self._cloud.api_addresses(self._environment):
                with contextlib.suppress(OSError):
                    ready += [address] if fetch(address, 8000, "/readyz", 1)[0] == 200 else []
            self._ready = ready


@contextlib.contextmanager
def load(port: int, clients: int = 4, pause: float = 0.05) -> Iterator[Counter[tuple[int, str]]]:
    """Counts what each request got, while clients ask one after the other."""
    counts: Counter[tuple[int, str]] = Counter()
    end = threading.Event()

    def ask() -> None:
        while not end.wait(pause):
            try:
                got = fetch("127.0.0.1", port, "/healthz")
            except OSError as error:
                got = (0, type(error).__name__)
            counts[got] += 1

    threads = [threading.Thread(target=ask, daemon=True) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield counts
    finally:
        end.set()
        for thread in threads:
            thread.join()
