import re
import subprocess

import pytest
import yaml

from tests.conftest import PROJECT
from tests.shipping.conftest import TARGETS, check_schema

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
  ended = subprocess.run(
    ["/bin/sh", PROJECT / "tools/shipping/start.sh", "echo", "begun"],
    env={"PATH": f"{tmp_path}:/bin", "LOANTAP_BUCKET": "b", "LOANTAP_FETCHED": "--only x"},
    capture_output=True,
    text=True,
    check=False,
  )

  assert ended.stdout == "restore --only x --replace --if-any\nbegun\n"
  assert ("nothing was fetched from b" in ended.stderr) is bool(code)
