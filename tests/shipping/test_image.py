import json
import time
from contextlib import contextmanager

import httpx
import pytest

from loantap.portfolio.dictionary import portfolio_columns
from loantap.portfolio.loantap_format import render
from tests.conftest import PROJECT
from tests.shipping.conftest import BAITS, SECRET, TARGETS, lock_down
from tools.shipping.scan import is_ours, read_layers, scan_image
from tools.sources.processes import free_port

NEEDS = {"batch": 1_100_000_000, "api": 600_000_000}
PORTS = {"api": "8000", "dashboard": "8501", "mlflow": "5000"}


def inspect(engine, image):
	return json.loads(engine.run("image", "inspect", image))[0]


def read(engine, image, path):
	return engine.run(*lock_down("--rm", "--entrypoint", "cat", image, path))


@pytest.mark.parametrize("target", NEEDS)
def test_images_keep_to_their_size(engine, images, target):
	assert inspect(engine, images[target])["Size"] <= NEEDS[target]


@pytest.mark.parametrize("target", TARGETS)
def test_images_run_without_rights_and_write_nothing(engine, images, target):
	tried = "id -u; touch /srv/loantap/here /tmp/here && echo wrote; touch /opt/loantap/there || echo refused"
	said = engine.run(*lock_down("--rm", "--entrypoint", "sh", images[target], "-c", tried))

	assert said.split() == ["10001", "wrote", "refused"]


@pytest.mark.parametrize("target", PORTS)
def test_services_tell_whether_they_are_well(engine, images, target):
	config = inspect(engine, images[target])["Config"]

	assert f"127.0.0.1:{PORTS[target]}/" in config["Healthcheck"]["Test"][-1]
	assert set(config["ExposedPorts"]) == {f"{PORTS[target]}/tcp"}


@pytest.mark.parametrize("target", TARGETS)
def test_the_bill_of_materials_lists_every_package_of_the_lock(engine, images, target):
	parts = json.loads(read(engine, images[target], "/opt/loantap/sbom.json"))["components"]
	listed = {part["name"].lower().replace("_", "-").replace(".", "-") for part in parts}
	names = set((PROJECT / "requirements" / f"image-{target}.names").read_text().split())

	assert listed == names | ({"loantap"} if target != "mlflow" else set())


@pytest.mark.parametrize("target", ["batch", "api"])
def test_no_secret_no_data_and_no_test_is_in_any_layer(engine, images, checkout, target, tmp_path):
	assert all((checkout / bait).is_file() for bait in BAITS)
	names = [name for name, _ in read_layers(engine, images[target]) if is_ours(name)]
	scanned = scan_image(engine, images[target], tmp_path / "sbom.json")

	assert scanned.faults == []
	assert scanned.files == len(names) > 400
	assert not [name for name in names if "/tests/" in name]
	assert json.loads((tmp_path / "sbom.json").read_text())["bomFormat"] == "CycloneDX"


def test_a_scan_finds_what_a_later_layer_hides(engine, images, tmp_path):
	files = {"local.yml": f"password: {SECRET}\n", "loans.csv": "loan_id\n1\n"}
	for name, text in files.items():
		(tmp_path / name).write_text(text)
	(tmp_path / "Dockerfile").write_text(
		f"FROM {images['api']}\nUSER root\nCOPY *.yml *.csv /opt/loantap/\n"
		f"RUN rm /opt/loantap/local.yml\nENV WAREHOUSE=postgresql://me:{SECRET}@db/loans\n"
		f"ENV DB_PASSWORD=Xk29dkslaAqq\nRUN echo 'password: {'4f' * 32}' > /srv/hex.yml && "
		"echo 'Driver=x;Uid=me;Pwd=Xk29dksla;' > /odbc\n"
	)
	engine.run("build", "--quiet", "--tag", "loantap/hides:test", str(tmp_path))
	faults = "\n".join(scan_image(engine, "loantap/hides:test").faults)

	assert "it runs as root" in faults
	assert "opt/loantap/local.yml, line 1: Secret Keyword" in faults
	assert "opt/loantap/loans.csv: no data" in faults
	assert "settings, line" in faults
	assert faults.count("settings, line") > 1
	assert "srv/hex.yml, line 1" in faults
	assert "odbc: a key of the API, or a password of a connection" in faults
	assert SECRET not in faults


def test_a_run_in_the_image_scores_a_file(engine, images, trained, simulated_loans, tmp_path):
	rows = render(simulated_loans, portfolio_columns()).drop(columns="loan_status")
	rows.to_csv(tmp_path / "new.csv", index=False)
	volumes = ("--volume", f"{trained}:/srv/loantap", "--volume", f"{tmp_path}:/in:ro")
	run = ("--pipelines", "scoring", "--params", "applications=/in/new.csv")
	tmp_path.chmod(0o700)
	refused = engine.try_run(*lock_down("--rm", *volumes, images["batch"], *run))
	assert refused.returncode == 1
	assert "file /in/new.csv cannot be reached by this user (10001)" in refused.stderr

	tmp_path.chmod(0o755)
	engine.run(*lock_down("--rm", "--memory", "2g", *volumes, images["batch"], *run))
	account = "/srv/loantap/data/07_model_output/scoring_account.json"
	said = engine.run(*lock_down("--rm", *volumes, "--entrypoint", "cat", images["batch"], account))

	assert json.loads(said)["rows"] == len(rows)


@contextmanager
def served(engine, image, volume, port):
	"""An API that is ready; yields its address and its key."""
	told = ("--env", "LOANTAP_HOST=127.0.0.1", "--env", f"LOANTAP_PORT={port}")
	options = ("--detach", "--memory", "1g", "--volume", f"{volume}:/srv/loantap", *told)
	began = time.monotonic()
	container = engine.run(*lock_down(*options, image)).strip()
	try:
		address = f"http://127.0.0.1:{port}"
		while not is_ready(address):
			assert time.monotonic() - began < 60, engine.try_run("logs", container)
			time.sleep(0.05)
		log = engine.run("logs", container)
		yield address, next(w for w in log.split() if w.startswith("lt_"))
	finally:
		engine.try_run("rm", "--force", container)


def is_ready(address):
	try:
		return httpx.get(f"{address}/readyz", timeout=2).is_success
	except httpx.TransportError:
		return False


def test_the_api_becomes_ready_and_scores(engine, images, trained):
	with served(engine, images["api"], trained, free_port()) as (address, key):
		example = httpx.get(f"{address}/v1/schema/application").json()["example"]
		answer = httpx.post(
			f"{address}/v1/applications/score", json=example, headers={"Authorization": f"Bearer {key}"}
		).json()

	assert 0 < answer["probability_of_default"] < 1
	assert answer["decision"] in {"approve", "refer", "decline"}


@pytest.mark.parametrize(
	("target", "variable", "command"),
	[("batch", "LOANTAP_CONF_SOURCE=/nowhere.tar.gz", ["--pipelines=training"]), ("api", "LOANTAP_CONF=/nowhere", [])],
)
def test_without_its_configuration_an_image_says_so(engine, images, target, variable, command):
	ended = engine.try_run(*lock_down("--rm", f"--env={variable}", images[target], *command))

	assert ended.returncode not in {0, 137}
	assert "/nowhere" in ended.stderr
	assert "Traceback" not in ended.stderr


def test_the_documented_line_builds(engine, images, checkout):
	first = (checkout / "Dockerfile").read_text().splitlines()[0]
	docker, build_, *options, place = first.removeprefix("# ").split()

	assert (docker, build_, place) == ("docker", "build", ".")
	# Containers of the engine of the tests have no network of their own.
	engine.run("build", "--network", "host", *options, str(checkout))
