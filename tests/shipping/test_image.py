"""The images: small, without rights, secrets or data, and they do their work."""

import json
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import httpx
import pytest

from tests.conftest import PROJECT
from tests.shipping.conftest import BAITS, REVISION, SECRET, TARGETS, build, lock_down
from tools.sources.ports import free_port

NEEDS = {"batch": 1_100_000_000, "api": 600_000_000}
PORTS = {"api": "8000", "dashboard": "8501", "mlflow": "5000"}
OURS = ("opt/loantap/", "srv/", "source/", "made/", "locks/")
DATA = (".csv", ".parquet", ".duckdb", ".db", ".xlsx", ".env", ".pem", ".key")


def inspect(engine, image):
    return json.loads(engine.run("image", "inspect", image))[0]


def read(engine, image, path):
    return engine.run(*lock_down("--rm", "--entrypoint", "cat", image, path))


@pytest.mark.parametrize("target", NEEDS)
def test_images_keep_to_their_size(engine, images, target):
    assert inspect(engine, images[target])["Size"] <= NEEDS[target]


@pytest.mark.parametrize("target", TARGETS)
def test_images_run_without_rights_and_write_nothing(engine, images, target):
    tried = "id -u; touch /srv/loantap/here /tmp/here; touch /opt/loantap/there || echo refused"
    said = engine.run(*lock_down("--rm", "--entrypoint", "sh", images[target], "-c", tried))

    assert said.split() == ["10001", "refused"]


@pytest.mark.parametrize("target", TARGETS)
def test_images_say_what_they_were_built_from(engine, images, target):
    config = inspect(engine, images[target])["Config"]

    assert config["User"] == "10001:10001"
    assert config["Labels"] == {
        "org.opencontainers.image.title": f"loantap/{target}",
        "org.opencontainers.image.revision": REVISION,
        "org.opencontainers.image.version": "0.1.0",
        "org.opencontainers.image.source": "https://example.com/loantap",
    }


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


def files_of(engine, image) -> Iterator[tuple[str, IO[bytes]]]:
    """Every file of every layer, removed later or not, and the image's own description."""
    command = [engine.program, "save", image]
    with (
        subprocess.Popen(command, env=engine.environment, stdout=subprocess.PIPE) as saving,
        tarfile.open(fileobj=saving.stdout, mode="r|") as saved,
    ):
        for member in saved:
            if not member.isfile():
                continue
            if not member.name.endswith("layer.tar"):
                yield member.name, saved.extractfile(member)
                continue
            with tarfile.open(fileobj=saved.extractfile(member), mode="r|") as layer:
                for each in layer:
                    if each.isfile():
                        yield each.name, layer.extractfile(each)


@pytest.mark.parametrize("target", ["batch", "api"])
def test_no_secret_no_data_and_no_test_is_in_any_layer(engine, images, checkout, target):
    assert all((checkout / bait).is_file() for bait in BAITS)
    seen = 0
    for name, content in files_of(engine, images[target]):
        seen += 1
        assert SECRET.encode() not in content.read(), name
        if name.startswith(OURS) and "/site-packages/" not in name.replace("packages/loantap/", ""):
            assert not name.endswith(DATA), name
            assert "/tests/" not in name, name
    assert seen > 5_000


def test_a_run_in_the_image_trains_and_reports(engine, images, trained):
    volume = ("--volume", f"{trained}:/srv/loantap")
    metrics = "/srv/loantap/data/08_reporting/metrics.json"
    said = engine.run(*lock_down("--rm", *volume, "--entrypoint", "cat", images["batch"], metrics))

    assert json.loads(said)["origin"] == "simulated"
    assert {"lending", "benchmark", "application"} <= set(json.loads(said))


@contextmanager
def served(engine, image, volume, port):
    """An API that is ready; yields seconds that took, its address and its key."""
    told = ("--env", "LOANTAP_HOST=127.0.0.1", "--env", f"LOANTAP_PORT={port}")
    options = ("--detach", "--memory", "1g", "--volume", f"{volume}:/srv/loantap", *told)
    began = time.monotonic()
    container = engine.run(*lock_down(*options, image)).strip()
    try:
        address = f"http://127.0.0.1:{port}"
        while not is_ready(address):
            assert time.monotonic() - began < 60, engine.try_run("logs", container)
            time.sleep(0.05)
        took = time.monotonic() - began
        log = engine.run("logs", container)
        yield took, address, next(w for w in log.split() if w.startswith("lt_"))
    finally:
        engine.try_run("rm", "--force", container)


def is_ready(address):
    try:
        return httpx.get(f"{address}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False


def test_the_api_is_ready_in_eight_seconds_and_scores(engine, images, trained):
    with served(engine, images["api"], trained, free_port()) as (took, address, key):
        example = httpx.get(f"{address}/v1/schema/application").json()["example"]
        answer = httpx.post(
            f"{address}/v1/applications/score",
            json=example,
            headers={"Authorization": f"Bearer {key}"},
        ).json()

    assert 0 < answer["probability_of_default"] < 1
    assert answer["decision"] in {"approve", "refer", "decline"}
    assert took <= 8


@pytest.mark.parametrize(
    ("target", "arguments"),
    [
        ("batch", ("--entrypoint=python", "-m", "loantap", "--conf-source=/nowhere.tar.gz")),
        ("api", ("--env=LOANTAP_CONF=/nowhere",)),
    ],
)
def test_without_its_configuration_an_image_says_so(engine, images, target, arguments):
    options = [each for each in arguments if each.startswith(("--entrypoint", "--env"))]
    command = [each for each in arguments if each not in options]
    ended = engine.try_run(*lock_down("--rm", *options, images[target], *command))

    assert ended.returncode not in {0, 137}
    assert "/nowhere" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_the_documented_line_builds(engine, images, checkout):
    first = (checkout / "Dockerfile").read_text().splitlines()[0]
    docker, build_, *options, place = first.removeprefix("# ").split()

    assert (docker, build_, place) == ("docker", "build", ".")
    # Containers of the engine of the tests have no network of their own.
    engine.run("build", "--network", "host", *options, str(checkout))


def test_after_a_change_of_code_a_build_takes_seconds(engine, images, checkout):
    module = checkout / "src" / "loantap" / "__main__.py"
    module.write_text(module.read_text() + f"# {time.time()}\n")

    began = time.monotonic()
    build(engine, checkout, "api")

    assert time.monotonic() - began <= 30
