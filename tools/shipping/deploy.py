"""Bring a commit to the running services of an environment, or go back: `--help` says how."""

import contextlib
import datetime as dt
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import click
from botocore.exceptions import BotoCoreError, ClientError

from tools.shipping import jira
from tools.shipping.aws import ShippingError, aws_session
from tools.shipping.ecs import FAMILIES, Environment, images, judge, number, primary, settled, short


@dataclass(frozen=True, slots=True)
class Patience:
	"""How long services may take, and how often they are asked; seconds."""

	limit: float
	pause: float


def deploy(environment: Environment, sha: str, patience: Patience) -> None:
	"""Run the images of a commit; the schedules' family follows when the services are steady.

	Raises:
		ShippingError: something is missing, another deployment is under way, or it failed.
	"""
	services = environment.services()
	_refuse_second(services)
	before = {part: str(one["taskDefinition"]) for part, one in services.items()}
	definitions = {part: environment.with_images(part, sha) for part in FAMILIES}
	environment.require_images(list(definitions.values()))
	environment.require_free_schedules()
	steady = [before[part] for part, service in services.items() if settled(service)]
	for arn in [*steady, environment.revisions("batch")[0]]:
		environment.mark_steady(arn)
	# Schedules run the family's newest revision at once, so batch waits for the services.
	batch = definitions.pop("batch")
	new = {part: environment.register(made) for part, made in definitions.items()}
	with _changing():
		_switch(environment, new, before, patience)
		new["batch"] = environment.register(batch)
		for arn in new.values():
			environment.mark_steady(arn)
	click.echo(f"{environment.name} runs {sha}: {', '.join(map(short, new.values()))}")


def rollback(environment: Environment, patience: Patience) -> None:
	"""Run the last revisions that were steady before those of now.

	Raises:
		ShippingError: there are none, their images are gone, or they failed.
	"""
	before = {part: str(one["taskDefinition"]) for part, one in environment.services().items()}
	target = {}
	for part, now in before.items():
		earlier = (arn for arn in environment.revisions(part) if number(arn) < number(now))
		steady = next((arn for arn in earlier if environment.is_steady(arn)), None)
		if steady is None:
			raise ShippingError(f"{part}: there is no steady revision before {short(now)}")
		target[part] = steady
	target["batch"] = _find_batch(environment, target)
	environment.require_images([environment.describe(arn)[0] for arn in target.values()])
	with _changing():
		_switch(environment, {part: target[part] for part in before}, before, patience)
		for part, arn in target.items():
			for newer in environment.revisions(part):
				if number(newer) > number(arn):
					environment.retire(newer)
	click.echo(f"{environment.name} is back on {', '.join(map(short, target.values()))}")


def _find_batch(environment: Environment, services: Mapping[str, str]) -> str:
	"""The steady revision of batch with the images of the commit that the services go back to.

	The newest may be Terraform's, or be missing for a deployment that hangs.
	"""
	tags = {tag for arn in services.values() for _, tag in images(environment.describe(arn)[0])}
	for arn in environment.revisions("batch") if len(tags) == 1 else ():
		found = {tag for _, tag in images(environment.describe(arn)[0])}
		if found == tags and environment.is_steady(arn):
			return arn
	raise ShippingError(
		f"batch: there is no steady revision of {', '.join(sorted(tags))}, to which the services "
		"would go back: deploy that commit with apply"
	)


def status(environment: Environment) -> None:
	"""Say which revision and image each service and the schedules run."""
	services = environment.services()
	for part in FAMILIES:
		service = services.get(part)
		arn = primary(service)["taskDefinition"] if service else environment.revisions(part)[0]
		tags = ", ".join(tag for _, tag in images(environment.describe(arn)[0]))
		state = (
			f"{service['runningCount']} of {service['desiredCount']} running, "
			f"{primary(service).get('rolloutState', 'COMPLETED')}"
			if service
			else "run by schedules"
		)
		click.echo(f"{part:10}{short(arn):32}{tags:42}{state}")


def _refuse_second(services: Mapping[str, Mapping[str, Any]]) -> None:
	for part, service in services.items():
		last = primary(service)
		if last.get("rolloutState") == "IN_PROGRESS":
			raise ShippingError(
				f"{part}: a deployment of {short(last['taskDefinition'])} is under way since "
				f"{last['createdAt']:%H:%M:%S}: wait for its end, or roll back",
				exit_code=3,
			)


@contextlib.contextmanager
def _changing() -> Iterator[None]:
	"""From here on a refusal of AWS may leave services in between."""
	try:
		yield
	except (ClientError, BotoCoreError) as error:
		raise ShippingError(f"Services were changing when AWS refused: {error}", 4) from error


def _switch(environment: Environment, new: Mapping[str, str], before: Mapping[str, str], patience: Patience) -> None:
	"""All services run `new`, or all run what they ran before."""
	started = dt.datetime.now(dt.UTC).replace(microsecond=0)
	try:
		environment.update(new)
	except (ClientError, BotoCoreError):
		# Some services may have changed.
		environment.update(before)
		raise
	ended = _wait(environment, new, patience)
	failed = [part for part, state in ended.items() if state != "steady"]
	if not failed:
		return
	services = environment.services()
	for part in failed:
		for line in environment.explain(part, services[part], started, new[part]):
			click.echo(line, err=True)
	back = {part: before[part] for part in new if ended[part] != "rolled back"}
	environment.update(back)
	returned = _wait(environment, back, patience)
	why = "; ".join(f"{part} {ended[part]} ({short(new[part])})" for part in failed)
	if stuck := [part for part, state in returned.items() if state != "steady"]:
		raise ShippingError(f"{why}; NOT back: {', '.join(stuck)}. Look at the events above", 4)
	for part, arn in new.items():
		if number(arn) > number(before[part]):  # a failed rollback leaves the older ones
			environment.retire(arn)
	raise ShippingError(f"{why}; running: {', '.join(map(short, before.values()))}", 1)


def _wait(environment: Environment, wanted: Mapping[str, str], patience: Patience) -> dict[str, str]:
	"""How each service ended; "too slow" where it did not."""
	ended: dict[str, str] = {}
	told: dict[str, str] = {}
	seen: set[str] = set()
	started = time.monotonic()
	while len(ended) < len(wanted) and time.monotonic() - started < patience.limit:
		time.sleep(patience.pause)
		services = environment.services()
		for part, arn in wanted.items():
			state = judge(services[part], arn)
			if any(one["taskDefinition"] == arn for one in services[part]["deployments"]):
				seen.add(part)
			if part not in seen:  # the answer is from before the update
				continue
			last = primary(services[part])
			line = (
				f"{part}: {state}, {last['runningCount']} of {services[part]['desiredCount']} "
				f"on {short(last['taskDefinition'])}"
			)
			if told.get(part) != line:
				click.echo(f"{time.monotonic() - started:4.0f} s  {line}")
			told[part] = line
			if state in {"steady", "failed", "rolled back"}:
				ended[part] = state
	return {part: ended.get(part, "too slow") for part in wanted}


@click.group(context_settings={"show_default": True})
@click.option("--environment", type=click.Choice(["staging", "production"]), required=True)
@click.option("--minutes", type=click.FloatRange(0.1), default=15.0, help="to wait for services")
@click.option("--pause", type=click.FloatRange(0.1), default=5.0, help="seconds between questions")
@click.pass_context
def main(context: click.Context, environment: str, minutes: float, pause: float) -> None:
	"""Deploy to ECS, or go back.

	Exit codes: 0 done; 1 failed, the revision before it runs; 2 nothing was changed, mend the
	input; 3 another deployment is under way; 4 failed, someone must look.
	"""
	context.obj = (environment, Patience(minutes * 60, pause))


@main.command("apply")
@click.option("--sha", required=True, help="full SHA of the commit, the tag of its images")
@click.pass_obj
def apply_command(given: tuple[str, Patience], sha: str) -> None:
	"""Run the images of a commit."""
	if not re.fullmatch(r"[0-9a-f]{40}", sha):
		raise click.BadParameter(f"{sha!r} is no full SHA (git rev-parse HEAD)", param_hint="--sha")
	_end(given[0], f"deploy of {sha}", lambda here: deploy(here, sha, given[1]))


@main.command("rollback")
@click.pass_obj
def rollback_command(given: tuple[str, Patience]) -> None:
	"""Run what was steady before."""
	_end(given[0], "rollback", lambda here: rollback(here, given[1]))


@main.command("status")
@click.pass_obj
def status_command(given: tuple[str, Patience]) -> None:
	"""Say what runs."""
	_end(given[0], "", status)


def _end(name: str, what: str, work: Callable[[Environment], None]) -> None:
	"""Do it; say what went wrong, in production to Jira too, and end with its exit code."""
	try:
		with aws_session() as session:
			work(Environment(name, session))
	except ShippingError as error:
		click.echo(str(error), err=True)
		if name == "production" and what and error.exit_code != 3:
			click.echo(jira.report(name, f"The {what} failed: {error}"), err=True)
		sys.exit(error.exit_code)


if __name__ == "__main__":
	main()
