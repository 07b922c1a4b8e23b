from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from tests.conftest import PROJECT
from tests.shipping.conftest import run

REGION: Final = "eu-west-1"
TAG: Final = "0123456789abcdef0123456789abcdef01234567"
# Where packages and people unpack plugins; a mirror holds HOST/hashicorp/aws/VERSION/SYSTEM/.
_FOLDERS: Final = ("~/.terraform.d", "~/.local/share/terraform", "/usr/share", "/usr/local/share", "/opt")
_PROVIDER: Final = "*/hashicorp/aws/5.100.0/*/terraform-provider-aws_v5.100.0*"
# MiB that Fargate has with so many CPU units.
_MEMORY: Final = {
	256: [512, 1024, 2048],
	512: range(1024, 4097, 1024),
	1024: range(2048, 8193, 1024),
	2048: range(4096, 16385, 1024),
	4096: range(8192, 30721, 1024),
}
_SECRET: Final = re.compile(r"://[^/@]*:[^/@]*@|(pwd|password|token|secret)\s*=|AKIA", re.IGNORECASE)


def find_mirror():
	folders = [Path(one).expanduser() for one in _FOLDERS]
	folders.insert(0, Path(os.environ.get("TF_PLUGIN_MIRROR", folders[0])))
	found = [
		path.parents[5] for folder in folders for pattern in (_PROVIDER, f"*/{_PROVIDER}") for path in folder.glob(pattern)
	]
	if not found:
		pytest.skip("Terraform's provider aws 5.100.0 is not unpacked: set TF_PLUGIN_MIRROR")
	return found[0]


@dataclass(frozen=True)
class Terraform:
	folder: Path
	environment: dict[str, str]
	variables: dict[str, str]

	def run(self, *words):
		return run(shutil.which("terraform") or "terraform", *words, cwd=self.folder, env=self.environment)

	def succeed(self, *words):
		done = self.run(*words)
		assert done.returncode == 0, done.stdout[-2000:] + done.stderr
		return done.stdout

	def given(self, environment, /, **changes):
		values = self.variables | changes
		given = [f"-var={name}={value}" for name, value in values.items()]
		return ["-input=false", "-no-color", f"-var-file=environments/{environment}.tfvars", *given]

	def plan(self, environment):
		"""The resources that a plan would make, each with `address`, `type` and `values`."""
		file = f"{environment}.tfplan"
		self.succeed("plan", f"-out={file}", *self.given(environment))
		return list(_resources(json.loads(self.succeed("show", "-json", file))["planned_values"]))

	def state(self):
		return list(_resources(json.loads(self.succeed("show", "-json"))["values"]))


def copy_infra(folder, environment, variables):
	"""`infra/` initialised and validated, its state in the folder and not in a bucket."""
	if not shutil.which("terraform"):
		# In CI too: Debian has no package of it.
		pytest.skip("terraform is not installed")
	mirror = find_mirror()
	copy = folder / "infra"
	shutil.copytree(PROJECT / "infra", copy, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
	settings = folder / "terraform.rc"
	settings.write_text(f'provider_installation {{\n  filesystem_mirror {{ path = "{mirror}" }}\n}}\n')
	told = {"TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1", "TF_IN_AUTOMATION": "1"}
	made = Terraform(copy, os.environ | environment | told, variables)
	made.succeed("init", "-backend=false", "-input=false")
	made.succeed("validate")
	(copy / "local_override.tf").write_text('terraform {\n  backend "local" {}\n}\n')
	made.succeed("init", "-reconfigure", "-input=false")
	return made


def _resources(module):
	module = module.get("root_module", module)
	for one in module.get("resources", []):
		if one["mode"] == "managed":
			# A plan leaves out what is known only when it is made, some policies among it.
			yield {"values": {}} | one
	for child in module.get("child_modules", []):
		yield from _resources(child)


def find_faults(resources):
	"""What our rules forbid, each as `address: what is wrong`."""
	return [
		f"{one['address']}: {fault}"
		for one in resources
		for fault in (*_policy_faults(one), *_faults(one["type"], one["values"]))
	]


def _as_list(value):
	return value if isinstance(value, list) else [value]


def _policy_faults(resource):
	policies = [resource["values"].get(name) for name in ("policy", "assume_role_policy")]
	# In a key's own policy "*" is that key alone.
	own = resource["type"] == "aws_kms_key"
	for policy in filter(None, policies):
		for one in _as_list(json.loads(policy).get("Statement", [])):
			if one["Effect"] != "Allow":
				continue
			wild = [action for action in _as_list(one.get("Action", [])) if action.endswith("*")]
			if wild and "*" in _as_list(one.get("Resource", [])) and not own:
				yield f"may {wild[0]} on every resource"
			if one.get("Principal") in ("*", {"AWS": "*"}) and "Condition" not in one:
				yield "lets everybody in"
			if "NotAction" in one or "NotResource" in one:
				yield "allows by what it leaves out"


def _faults(kind, values):
	if kind == "aws_ecs_task_definition":
		for container in json.loads(values.get("container_definitions", "[]")):
			yield from _container_faults(container)
		if int(values["memory"]) not in _MEMORY.get(int(values["cpu"]), []):
			yield f"Fargate has no task of {values['cpu']} units and {values['memory']} MiB"
	if kind == "aws_cloudwatch_log_group" and not values.get("retention_in_days"):
		yield "keeps logs for ever"
	if kind == "aws_ecr_repository" and values.get("image_tag_mutability") != "IMMUTABLE":
		yield "lets a tag be moved"
	if kind == "aws_db_instance" and not values.get("storage_encrypted"):
		yield "not encrypted"
	if kind == "aws_db_instance" and values.get("password"):
		yield "its password is in the state"


def _container_faults(container):
	if not container.get("readonlyRootFilesystem"):
		yield "its root can be written"
	if container.get("user", "0").partition(":")[0] in {"0", "root"} or container.get("privileged"):
		yield "runs as root"
	if container.get("portMappings") and not container.get("healthCheck"):
		yield "serves without a health check"
	for one in container.get("environment", []):
		if _SECRET.search(f"{one['name']}={one['value']}"):
			yield f"{one['name']} holds a secret in plain sight"
