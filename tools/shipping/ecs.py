"""Revisions of task definitions, and the services of an environment that run them.

A family's newest ACTIVE revision is in use, as failed ones are deregistered. So schedules name a
family alone, and the next revision is made of what Terraform last changed.
"""

import contextlib
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

import boto3

from tools.shipping.aws import ShippingError

SERVICES: Final = ("api", "dashboard", "mlflow")
FAMILIES: Final = (*SERVICES, "batch")
# On a revision of which all tasks have been running: where `rollback` can go.
STEADY: Final = "loantap-steady"
_ANSWER_ONLY: Final = {
	"taskDefinitionArn",
	"revision",
	"status",
	"requiresAttributes",
	"compatibilities",
	"registeredAt",
	"registeredBy",
	"deregisteredAt",
}
_IMAGE: Final = re.compile(r"^(?:(?P<registry>[^/]+)/)?(?P<name>loantap/[a-z]+)[:@](?P<tag>.+)$")


class Environment:
	"""The cluster `loantap-NAME`."""

	def __init__(self, name: str, session: boto3.Session) -> None:
		self.name = name
		self.cluster = f"loantap-{name}"
		self._session = session
		self._ecs = session.client("ecs")

	def services(self) -> dict[str, dict[str, Any]]:
		"""What ECS knows of each service.

		Raises:
			ShippingError: one is missing.
		"""
		answer = self._ecs.describe_services(cluster=self.cluster, services=list(SERVICES))
		found = {one["serviceName"]: one for one in answer["services"] if one["status"] == "ACTIVE"}
		if missing := [name for name in SERVICES if name not in found]:
			raise ShippingError(
				f"{self.cluster} has no service {', '.join(missing)} in "
				f"{self._session.region_name}: check AWS_REGION, or apply infra/"
			)
		return found

	def revisions(self, part: str) -> list[str]:
		"""The ACTIVE revisions of a family, newest first, at most 100.

		Raises:
			ShippingError: there is none.
		"""
		family = f"{self.cluster}-{part}"
		listed = self._ecs.list_task_definitions(familyPrefix=family, status="ACTIVE", sort="DESC")
		arns = [arn for arn in listed["taskDefinitionArns"] if f"/{family}:" in arn]
		if not arns:
			raise ShippingError(f"There is no task definition {family}: apply infra/")
		return sorted(arns, key=number, reverse=True)

	def describe(self, arn: str) -> tuple[dict[str, Any], dict[str, str]]:
		"""A revision and its tags."""
		answer = self._ecs.describe_task_definition(taskDefinition=arn, include=["TAGS"])
		return answer["taskDefinition"], {tag["key"]: tag["value"] for tag in answer.get("tags", [])}

	def with_images(self, part: str, sha: str) -> dict[str, Any]:
		"""The newest revision of a family with our images as of commit `sha`, all else as it is.

		Raises:
			ShippingError: none of its containers runs an image of ours.
		"""
		newest, tags = self.describe(self.revisions(part)[0])
		made = {key: value for key, value in newest.items() if key not in _ANSWER_ONLY and value}
		made["containerDefinitions"] = [
			one | {"image": re.sub(r"(loantap/[a-z]+)[:@].*$", rf"\1:{sha}", one["image"])}
			for one in newest["containerDefinitions"]
		]
		if not images(made):
			raise ShippingError(f"No container of {newest['family']} runs an image loantap/*")
		kept = [{"key": key, "value": value} for key, value in tags.items() if key != STEADY]
		return made | ({"tags": kept} if kept else {})

	def require_images(self, definitions: Sequence[Mapping[str, Any]]) -> None:
		"""Ask ECR for every image before anything is changed.

		Raises:
			ShippingError: one is not there.
		"""
		ecr = self._session.client("ecr")
		for name, tag in sorted({image for one in definitions for image in images(one)}):
			if not has_image(ecr, name, tag):
				raise ShippingError(
					f"{name}:{tag} is not in ECR of {self._session.region_name}: "
					"has the step that pushes the images of this commit run?"
				)

	def require_free_schedules(self) -> None:
		"""Schedules name families, which need no deployment.

		Raises:
			ShippingError: one names a revision, and would go on running that.
		"""
		scheduler = self._session.client("scheduler")
		pages = scheduler.get_paginator("list_schedules").paginate(GroupName=self.cluster)
		for one in [schedule for page in pages for schedule in page["Schedules"]]:
			full = scheduler.get_schedule(Name=one["Name"], GroupName=self.cluster)
			arn = full["Target"].get("EcsParameters", {}).get("TaskDefinitionArn", "")
			if re.search(r"/[^/:]+:\d+$", arn):
				raise ShippingError(
					f"Schedule {one['Name']} names the revision {arn.rpartition('/')[2]} and would "
					"go on running it: let infra/ name the family alone"
				)

	def register(self, definition: Mapping[str, Any]) -> str:
		"""Its ARN as a new revision."""
		answer = self._ecs.register_task_definition(**definition)
		return str(answer["taskDefinition"]["taskDefinitionArn"])

	def update(self, wanted: Mapping[str, str]) -> None:
		"""Let services run these revisions."""
		for part, arn in wanted.items():
			self._ecs.update_service(cluster=self.cluster, service=part, taskDefinition=arn)

	def mark_steady(self, arn: str) -> None:
		"""Let `rollback` find this revision."""
		self._ecs.tag_resource(resourceArn=arn, tags=[{"key": STEADY, "value": "true"}])

	def is_steady(self, arn: str) -> bool:
		"""Whether all tasks of a revision have once been running."""
		return STEADY in self.describe(arn)[1]

	def retire(self, arn: str) -> None:
		"""Deregister a revision, so that its family's newest is another."""
		self._ecs.deregister_task_definition(taskDefinition=arn)

	def explain(self, part: str, service: Mapping[str, Any], since: object, arn: str) -> list[str]:
		"""What the service says of itself since a moment, and why tasks of a revision stopped."""
		events: list[dict[str, Any]] = [e for e in service["events"] if e["createdAt"] >= since]
		lines = [f"{part}: {event['message']}" for event in reversed(events[:10])]
		stopped = self._ecs.list_tasks(cluster=self.cluster, serviceName=part, desiredStatus="STOPPED")["taskArns"]
		if not stopped:
			return lines
		# Those of earlier revisions are on record for an hour.
		tasks = self._ecs.describe_tasks(cluster=self.cluster, tasks=stopped)["tasks"]
		for task in [one for one in tasks if one["taskDefinitionArn"] == arn][-3:]:
			codes = [str(one["exitCode"]) for one in task["containers"] if "exitCode" in one]
			reason = task.get("stoppedReason", "no reason given")
			lines.append(f"{part}: task stopped: {reason}; exit code {', '.join(codes) or 'none'}")
		return lines


def number(arn: str) -> int:
	"""The number of a revision."""
	return int(arn.rpartition(":")[2])


def short(arn: str) -> str:
	"""`loantap-staging-api:7`."""
	return arn.rpartition("/")[2]


def has_image(ecr: Any, name: str, tag: str) -> bool:
	"""Whether ECR has an image of that name with this tag or digest."""
	wanted = {"imageDigest" if tag.startswith("sha256:") else "imageTag": tag}
	absent = (ecr.exceptions.ImageNotFoundException, ecr.exceptions.RepositoryNotFoundException)
	with contextlib.suppress(*absent):
		return bool(ecr.describe_images(repositoryName=name, imageIds=[wanted])["imageDetails"])
	return False


def images(definition: Mapping[str, Any]) -> list[tuple[str, str]]:
	"""Repository and tag of each image of ours."""
	found = [_IMAGE.match(one["image"]) for one in definition["containerDefinitions"]]
	return [(match["name"], match["tag"]) for match in found if match]


def primary(service: Mapping[str, Any]) -> dict[str, Any]:
	"""The deployment that the service is to end with."""
	return next(one for one in service["deployments"] if one["status"] == "PRIMARY")


def settled(service: Mapping[str, Any]) -> bool:
	"""Whether all its tasks are running, and no others are meant to."""
	last = primary(service)
	state = last.get("rolloutState", "COMPLETED")
	return bool(state == "COMPLETED" and last["runningCount"] == service["desiredCount"])


def judge(service: Mapping[str, Any], arn: str) -> str:
	"""How far a service is with a revision: steady, failed, rolled back or under way."""
	last = primary(service)
	if last["taskDefinition"] == arn:
		if last.get("rolloutState") == "FAILED":
			return "failed"
		return "steady" if settled(service) else "under way"
	return "rolled back" if settled(service) else "rolling back"
