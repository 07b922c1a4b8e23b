# One task family: its definition, roles, log group and security group.
variable "name" { type = string }
variable "environment" { type = string }
variable "purpose" { type = string }
variable "region" { type = string }
variable "account" { type = string }
variable "vpc_id" { type = string }
variable "image_tag" { type = string }
variable "size" { type = object({ cpu = number, memory = number }) }
variable "kms_key_arn" { type = string }
variable "log_retention_days" { type = number }
variable "task" {
  type = object({
    stop_timeout = number
    variables    = map(string)
    secrets      = map(string) # variable to ARN of the secret with its value
    permissions  = list(object({ actions = list(string), resources = list(string) }))
    port         = optional(number)
    health_path  = optional(string)
  })
}

locals {
  family     = "${var.name}-${var.purpose}"
  ecr        = "${var.account}.dkr.ecr.${var.region}.amazonaws.com"
  repository = "arn:aws:ecr:${var.region}:${var.account}:repository/loantap/${var.purpose}"
  health_url = try("http://127.0.0.1:${var.task.port}${var.task.health_path}", "")
  volumes    = { project = "/srv/loantap", tmp = "/tmp" }
  trust = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" }
    Condition = { StringEquals = { "aws:SourceAccount" = var.account } }
  }] })
  starting = concat([
    { Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] },
    {
      Effect = "Allow", Resource = [local.repository]
      Action = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    },
    {
      Effect = "Allow", Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      Action = ["logs:CreateLogStream", "logs:PutLogEvents"]
    },
    ], length(var.task.secrets) == 0 ? [] : [
    { Effect = "Allow", Action = ["secretsmanager:GetSecretValue"], Resource = values(var.task.secrets) },
    { Effect = "Allow", Action = ["kms:Decrypt"], Resource = [var.kms_key_arn] },
  ])
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/loantap/${var.environment}/${var.purpose}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}

resource "aws_iam_role" "start" {
  name               = "${local.family}-start"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "start" {
  name   = "start"
  role   = aws_iam_role.start.id
  policy = jsonencode({ Version = "2012-10-17", Statement = local.starting })
}

resource "aws_iam_role" "task" {
  name               = "${local.family}-task"
  assume_role_policy = local.trust
}

resource "aws_iam_role_policy" "task" {
  count = length(var.task.permissions) > 0 ? 1 : 0
  name  = "task"
  role  = aws_iam_role.task.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    for one in var.task.permissions : { Effect = "Allow", Action = one.actions, Resource = one.resources }
  ] })
}

resource "aws_security_group" "this" {
  name        = local.family
  description = "Tasks of ${local.family}"
  vpc_id      = var.vpc_id
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.family
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = var.size.cpu
  memory                   = var.size.memory
  execution_role_arn       = aws_iam_role.start.arn
  task_role_arn            = aws_iam_role.task.arn
  # Deployments make newer revisions; the old ones are what to roll back to.
  skip_destroy = true

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "X86_64"
  }

  # On the task's own disk, which ends with it. Fargate gives them the owner that the image's VOLUME has.
  dynamic "volume" {
    for_each = local.volumes
    content { name = volume.key }
  }

  container_definitions = jsonencode([merge(
    {
      name                   = var.purpose
      image                  = "${local.ecr}/loantap/${var.purpose}:${var.image_tag}"
      essential              = true
      user                   = "10001"
      readonlyRootFilesystem = true
      linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
      stopTimeout            = var.task.stop_timeout
      environment            = [for name, value in var.task.variables : { name = name, value = value }]
      secrets                = [for name, arn in var.task.secrets : { name = name, valueFrom = arn }]
      mountPoints            = [for name, path in local.volumes : { sourceVolume = name, containerPath = path }]
      logConfiguration = {
        logDriver = "awslogs"
        options = {
          awslogs-group         = aws_cloudwatch_log_group.this.name
          awslogs-region        = var.region
          awslogs-stream-prefix = var.purpose
        }
      }
    },
    # ECS ignores the image's HEALTHCHECK, and a slim image has no curl.
    { for key, value in {
      portMappings = [{ containerPort = var.task.port, protocol = "tcp" }]
      healthCheck = {
        command  = ["CMD", "python", "-Ic", "import urllib.request as r; r.urlopen('${local.health_url}', timeout=4)"]
        interval = 10, timeout = 5, retries = 3, startPeriod = 60
      }
    } : key => value if var.task.port != null }
  )])
}

output "arn" { value = aws_ecs_task_definition.this.arn }
output "newest_arn" { value = aws_ecs_task_definition.this.arn_without_revision }
output "role_arns" { value = [aws_iam_role.start.arn, aws_iam_role.task.arn] }
output "security_group_id" { value = aws_security_group.this.id }
