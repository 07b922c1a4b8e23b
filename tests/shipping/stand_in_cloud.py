import contextlib
import http.client
import itertools
import sys
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import boto3

from tests.support.local_server import serve
from tests.support.stand_in_aws import aws_variables
from tools.shipping.ecs import FAMILIES, SERVICES
from tools.shipping.engine import provide_base
from tools.sources.processes import Process, free_port

REGION = "eu-west-1"
REGISTRY = "127.0.0.1:1"  # nobody answers there, so the engine's own images are taken
GOOD, NEXT, BROKEN = ("a" * 40, "b" * 40, "c" * 40)
BREAKER = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
# ministack takes a task for steady that lives for a second, in which Python may just have started.
START = 'case "$SHA$PART" in c*api) echo "no champion"; exit 1;; esac; exec python3 /app.py'
# The API in small: ready a second after its start, and each answer names its commit.
APP = """
import http.server, os, time
born = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        late = self.path == "/readyz" and time.monotonic() - born < 1
        self.send_response(503 if late else 200)
        self.send_header("Content-Length", "40")
        self.end_headers()
        self.wfile.write(os.environ["SHA"].encode())
    def log_message(self, *_): pass
http.server.ThreadingHTTPServer(("", 8000), Handler).serve_forever()
"""


def build_images(engine, folder):
	"""The images of three commits; the API of the last ends when it starts."""
	(folder / "app.py").write_text(APP)
	base = provide_base(engine)
	for sha in (GOOD, NEXT, BROKEN):
		(folder / "Dockerfile").write_text(f"FROM {base}\nENV SHA={sha}\nCOPY app.py /app.py\n")
		tags = [f"--tag={REGISTRY}/loantap/{part}:{sha}" for part in FAMILIES]
		engine.run("build", "--quiet", *tags, str(folder))


class Cloud:
	def __init__(self, port):
		self.url = f"http://127.0.0.1:{port}"
		self.variables = aws_variables(self.url, REGION)

	def client(self, service, region=REGION):
		session = boto3.Session("test", "test", region_name=region)
		return session.client(service, endpoint_url=self.url)

	def make_images(self):
		ecr = self.client("ecr")
		for part in FAMILIES:
			ecr.create_repository(repositoryName=f"loantap/{part}")
			for sha in (GOOD, NEXT, BROKEN):
				manifest = f'{{"schemaVersion": 2, "of": "{part}:{sha}"}}'
				name = f"loantap/{part}"
				ecr.put_image(repositoryName=name, imageTag=sha, imageManifest=manifest)

	def make_environment(self, name):
		"""As infra/ leaves it: four families, three services, a schedule."""
		ecs, cluster = self.client("ecs"), f"loantap-{name}"
		ecs.create_cluster(clusterName=cluster)
		for part in FAMILIES:
			container = {
				"name": part,
				"image": f"{REGISTRY}/loantap/{part}:{GOOD}",
				"command": ["sh", "-c", START],
				"portMappings": [{"containerPort": 8000}],
				"environment": [{"name": "PART", "value": part}],
			}
			ecs.register_task_definition(
				family=f"{cluster}-{part}",
				networkMode="awsvpc",
				requiresCompatibilities=["FARGATE"],
				cpu="512",
				memory="1024",
				containerDefinitions=[container],
			)
		for part in SERVICES:
			ecs.create_service(
				cluster=cluster,
				serviceName=part,
				taskDefinition=f"{cluster}-{part}",
				desiredCount=2 if part == "api" else 1,
				launchType="FARGATE",
				deploymentConfiguration=BREAKER,
			)
		self.client("scheduler").create_schedule_group(Name=cluster)
		self.schedule(name, f"{cluster}-batch")

	def schedule(self, name, family):
		where = f"arn:aws:ecs:{REGION}:000000000000"
		self.client("scheduler").create_schedule(
			Name=family.replace(":", "-"),
			GroupName=f"loantap-{name}",
			ScheduleExpression="rate(1 day)",
			FlexibleTimeWindow={"Mode": "OFF"},
			Target={
				"Arn": f"{where}:cluster/loantap-{name}",
				"RoleArn": "arn:aws:iam::000000000000:role/schedule",
				"EcsParameters": {"TaskDefinitionArn": f"{where}:task-definition/{family}"},
			},
		)

	def api_addresses(self, name):
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
def started(engine, folder):
	"""ministack on a free port; its containers go with it."""
	port, log = free_port(), folder / "log"
	environment = {
		"DOCKER_HOST": engine.host,
		"MINISTACK_HOSTNAME": "loantap",
		"BIND_HOST": "127.0.0.1",
		"GATEWAY_PORT": str(port),
		"SERVICES": "ecs,ecr,scheduler,sts,iam,logs",
		"IOT_MTLS_ENABLED": "0",  # or it listens on every address
	}
	process = Process.start([sys.executable, "-m", "ministack"], log, env=environment)
	try:
		process.wait_for_port(port, log, within_s=60)
		yield Cloud(port)
	finally:
		process.end(within_s=30)
		ours = f"label=ministack.instance=loantap:{port}"
		if left := engine.run("ps", "--all", "--quiet", "--filter", ours).split():
			engine.run("rm", "--force", *left)


def fetch(host, port, path, seconds=5):
	with contextlib.closing(http.client.HTTPConnection(host, port, timeout=seconds)) as connection:
		connection.request("GET", path)
		answer = connection.getresponse()
		return answer.status, answer.read().decode()


@contextlib.contextmanager
def background(work, pause, threads=1):
	"""Do it again and again beside the test."""
	end = threading.Event()

	def repeat():
		while not end.wait(pause):
			work()

	with ThreadPoolExecutor(threads) as running:
		for _ in range(threads):
			running.submit(repeat)
		try:
			yield
		finally:
			end.set()


@contextlib.contextmanager
def front(cloud, environment):
	"""What an ALB does: it asks tasks whether they are ready, and sends requests to those.

	A request is tried once: 502 if its task does not answer, 503 if there is none.
	"""
	ready: list[str] = []
	turn = itertools.count()

	def check():
		found = []
		for address in cloud.api_addresses(environment):
			with contextlib.suppress(OSError):
				found += [address] if fetch(address, 8000, "/readyz", 1)[0] == 200 else []
		ready[:] = found

	def pass_on(path, *_):
		chosen = list(ready)
		try:
			return fetch(chosen[next(turn) % len(chosen)], 8000, path) if chosen else (503, "")
		except OSError:
			return 502, ""

	with serve(pass_on) as port, background(check, 0.5):
		yield port, ready


@contextlib.contextmanager
def load(port):
	"""Counts what each request got, while four clients ask one after the other."""
	counts: Counter[tuple[int, str]] = Counter()

	def ask():
		try:
			got = fetch("127.0.0.1", port, "/healthz")
		except OSError as error:
			got = (0, type(error).__name__)
		counts[got] += 1

	with background(ask, 0.05, threads=4):
		yield counts
