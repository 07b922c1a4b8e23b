import json
import re
from functools import partial

import boto3
import pytest
from kedro.framework.project import pipelines

from tests.conftest import PROJECT
from tests.shipping.terraform import REGION, TAG, copy_infra, find_faults
from tests.support.stand_in_aws import aws_variables, serve_aws

pytestmark = pytest.mark.slow
# The provider waits a whole minute for a database, so that its plan has to do; and what needs it.
LEFT_OUT = ("aws_db_instance.", "aws_cloudwatch_metric_alarm.this[")


@pytest.fixture(scope="module")
def aws():
	"""Gives a client of a service of moto, on loopback."""
	access = {"aws_access_key_id": "test", "aws_secret_access_key": "test", "region_name": REGION}
	with serve_aws() as url:
		yield partial(boto3.client, endpoint_url=url, **access)


@pytest.fixture(scope="module")
def infra(aws, tmp_path_factory):
	subnets = aws("ec2").describe_subnets()["Subnets"]
	domain = {"Name": "staging.underwriting.example", "CallerReference": "once"}
	zone = aws("route53").create_hosted_zone(**domain)["HostedZone"]["Id"]
	certificate = aws("acm").request_certificate(DomainName="*.underwriting.example")
	return copy_infra(
		tmp_path_factory.mktemp("infra"),
		aws_variables(aws.keywords["endpoint_url"], REGION),
		{
			"image_tag": TAG,
			"vpc_id": subnets[0]["VpcId"],
			"private_subnet_ids": json.dumps([one["SubnetId"] for one in subnets[:2]]),
			"zone_id": zone.rpartition("/")[2],
			"certificate_arn": certificate["CertificateArn"],
		},
	)


@pytest.fixture(scope="module")
def plans(infra):
	return {name: infra.plan(name) for name in ("staging", "production")}


@pytest.fixture(scope="module")
def made(infra, plans):
	addresses = [one["address"] for one in plans["staging"]]
	targets = [f"-target={one}" for one in addresses if not one.startswith(LEFT_OUT)]
	infra.succeed("apply", "-auto-approve", *infra.given("staging"), *targets)
	return infra.state()


def only(resources, kind, ending=""):
	(one,) = [one for one in resources if one["type"] == kind and one["address"].endswith(ending)]
	return one["values"]


def statements(made, address):
	(one,) = [one for one in made if one["address"] == address]
	return json.loads(one["values"]["policy"])["Statement"]


def test_files_are_formatted(infra):
	infra.succeed("fmt", "-check", "-recursive", str(PROJECT / "infra"))


@pytest.mark.parametrize("name", ["staging", "production"])
def test_the_plan_keeps_our_rules(plans, name):
	assert len(plans[name]) > 90
	assert find_faults(plans[name]) == []


def test_what_an_account_has_once_is_staging_s(plans):
	once = {"aws_ecr_repository", "aws_iam_openid_connect_provider"}
	assert once <= {one["type"] for one in plans["staging"]}
	assert not once & {one["type"] for one in plans["production"]}


def test_production_s_database_outlives_a_zone_and_a_mistake(plans):
	database = only(plans["production"], "aws_db_instance")
	assert database["multi_az"]
	assert database["deletion_protection"]
	assert database["backup_retention_period"] == 35
	assert int(database["engine_version"]) >= 15


@pytest.mark.parametrize("service", ["api", "dashboard", "mlflow"])
def test_a_deployment_keeps_what_serves_and_goes_back_by_itself(plans, service):
	made = only(plans["production"], "aws_ecs_service", f'["{service}"].aws_ecs_service.this')
	assert made["deployment_minimum_healthy_percent"] == 100
	assert made["deployment_circuit_breaker"] == [{"enable": True, "rollback": True}]


def test_the_plan_refuses_what_cannot_be_and_says_why(infra):
	wrong = {
		"image_tag": "latest",
		"private_subnet_ids": '["subnet-1"]',
		"mlflow_cidrs": json.dumps([f"10.{i}.0.0/16" for i in range(4)]),
		"environment": "test",
	}
	done = infra.run("plan", *infra.given("staging", **wrong))
	assert done.returncode == 1
	told = " ".join(done.stderr.replace("│", "").split())
	for remedy in (
		"image_tag: give the full git SHA",
		"private_subnet_ids: give two or more",
		"mlflow_cidrs: give at most 3",
		"environment: take staging or production",
	):
		assert remedy in told


def test_what_was_made_keeps_our_rules_now_that_every_address_is_known(made):
	assert len([one for one in made if one["values"].get("policy")]) >= 12
	assert find_faults(made) == []


def test_a_second_plan_would_change_nothing(infra, made):
	infra.succeed("plan", "-out=again", *infra.given("staging"))
	changes = json.loads(infra.succeed("show", "-json", "again"))["resource_changes"]
	changed = [
		(one["address"], key)
		for one in changes
		if one["change"]["actions"] != ["no-op"] and not one["address"].startswith(LEFT_OUT)
		for key, value in one["change"]["after"].items()
		if one["change"]["before"].get(key) != value
	]
	# Moto forgets these two.
	forgotten = {"health_check_grace_period_seconds", "availability_zone_rebalancing"}
	assert {key for _, key in changed} <= forgotten, changed


def test_the_bucket_is_private_encrypted_and_keeps_versions(aws, made):
	s3, name = aws("s3"), {"Bucket": "loantap-staging-data"}
	assert all(s3.get_public_access_block(**name)["PublicAccessBlockConfiguration"].values())
	(rule,) = s3.get_bucket_encryption(**name)["ServerSideEncryptionConfiguration"]["Rules"]
	assert rule["ApplyServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
	assert s3.get_bucket_versioning(**name)["Status"] == "Enabled"
	(refusal,) = json.loads(s3.get_bucket_policy(**name)["Policy"])["Statement"]
	assert refusal["Effect"] == "Deny"
	assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


@pytest.mark.parametrize("name", ["batch", "api", "dashboard", "mlflow"])
def test_a_task_writes_its_two_volumes_and_nothing_else(aws, made, name):
	task = aws("ecs").describe_task_definition(taskDefinition=f"loantap-staging-{name}")
	(container,) = task["taskDefinition"]["containerDefinitions"]
	assert container["image"].endswith(f"/loantap/{name}:{TAG}")
	assert container["readonlyRootFilesystem"]
	assert container["user"] == "10001"
	assert container["linuxParameters"]["capabilities"] == {"drop": ["ALL"]}
	volumes = {one["containerPath"] for one in container["mountPoints"]}
	assert volumes == {"/srv/loantap", "/tmp"}  # noqa: S108
	assert ("healthCheck" in container) == (name != "batch")


def test_secrets_have_a_place_and_no_value(aws, made):
	secrets = aws("secretsmanager")
	names = {one["Name"] for one in secrets.list_secrets()["SecretList"]}
	parts = "warehouse appstream business_events warehouse_output audit mlflow".split()
	assert names == {f"loantap/staging/{one}" for one in parts}
	with pytest.raises(secrets.exceptions.ResourceNotFoundException):
		secrets.get_secret_value(SecretId="loantap/staging/audit")


@pytest.mark.parametrize("name", ["api", "dashboard"])
def test_what_serves_may_not_write_the_bucket(made, name):
	granted = statements(made, f'module.task["{name}"].aws_iam_role_policy.task[0]')
	actions = {action for one in granted for action in one["Action"]}
	assert actions == {"s3:GetObject", "s3:ListBucket", "kms:Decrypt"}


def test_a_task_starts_with_its_own_secrets_alone(made):
	(read,) = [
		one["Resource"]
		for one in statements(made, 'module.task["api"].aws_iam_role_policy.start')
		if one["Action"] == ["secretsmanager:GetSecretValue"]
	]
	assert [re.sub(r"-\w{6}$", "", one.rpartition(":")[2]) for one in read] == ["loantap/staging/audit"]


def test_schedules_run_pipelines_that_there_are_and_our_family_alone(aws, made):
	scheduler = aws("scheduler")
	for one in scheduler.list_schedules()["Schedules"]:
		target = scheduler.get_schedule(Name=one["Name"], GroupName=one["GroupName"])["Target"]
		assert target["EcsParameters"]["TaskDefinitionArn"].endswith("/loantap-staging-batch")
		(container,) = json.loads(target["Input"])["containerOverrides"]
		assert container["command"][1] in pipelines
	run, give = statements(made, "aws_iam_role_policy.schedule")
	assert run["Action"] == ["ecs:RunTask"]
	assert {one.partition("/")[2] for one in run["Resource"]} == {"loantap-staging-batch", "loantap-staging-batch:*"}
	assert {one.rpartition("/")[2] for one in give["Resource"]} == {
		"loantap-staging-batch-start",
		"loantap-staging-batch-task",
	}


def test_every_alarm_is_heard(aws, made):
	cloudwatch, events = aws("cloudwatch"), aws("events")
	alarms = cloudwatch.describe_alarms()["MetricAlarms"]
	assert len(alarms) >= 9
	rules = events.list_rules(NamePrefix="loantap-staging-failed")["Rules"]
	assert len(rules) == 2
	heard = {to for one in alarms for to in one["AlarmActions"]}
	heard |= {to["Arn"] for one in rules for to in events.list_targets_by_rule(Rule=one["Name"])["Targets"]}
	assert {to.rpartition(":")[2] for to in heard} == {"loantap-staging-alarms"}


TASK = "aws_ecs_task_definition"


def task(**changes):
	container = {"readonlyRootFilesystem": True, "user": "10001"} | changes
	return {"cpu": "1024", "memory": "2048", "container_definitions": json.dumps([container])}


def allow(**words):
	return {"policy": json.dumps({"Statement": {"Effect": "Allow"} | words})}


@pytest.mark.parametrize(
	("kind", "values", "fault"),
	[
		("aws_iam_role_policy", allow(Action=["s3:Get*"], Resource=["*"]), "may s3:Get* on every"),
		("aws_iam_role_policy", allow(NotAction="iam:*", Resource="*"), "leaves out"),
		("aws_s3_bucket_policy", allow(Action="s3:GetObject", Principal="*"), "everybody"),
		(TASK, task(readonlyRootFilesystem=False), "can be written"),
		(TASK, task(user="0:0"), "as root"),
		(TASK, task(portMappings=[{"containerPort": 1}]), "health check"),
		(TASK, task(environment=[{"name": "AUDIT", "value": "postgresql://me:pw@db/audit"}]), "AUDIT holds a secret"),
		(TASK, task() | {"memory": "1024"}, "no task of 1024 units"),
		("aws_cloudwatch_log_group", {"retention_in_days": 0}, "for ever"),
		("aws_ecr_repository", {"image_tag_mutability": "MUTABLE"}, "moved"),
		("aws_db_instance", {"storage_encrypted": True, "password": "x"}, "password"),
	],
)
def test_the_rules_find_what_they_forbid(kind, values, fault):
	(found,) = find_faults([{"address": "bad", "type": kind, "values": values}])
	assert found.startswith("bad: ")
	assert fault in found
