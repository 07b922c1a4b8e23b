# The newest revision of the batch family runs: a deployment changes no schedule.
resource "aws_scheduler_schedule_group" "this" { name = local.name }

resource "aws_scheduler_schedule" "this" {
  for_each            = var.schedules
  name                = "${local.name}-${each.key}"
  group_name          = aws_scheduler_schedule_group.this.name
  schedule_expression = each.value.expression
  flexible_time_window { mode = "OFF" }
  target {
    arn      = aws_ecs_cluster.this.arn
    role_arn = aws_iam_role.schedule.arn
    input = jsonencode(merge(
      { containerOverrides = [{ name = "batch", command = ["--pipelines", each.value.pipelines, "--env", "aws"] }] },
      each.value.cpu == null ? {} : { cpu = tostring(each.value.cpu) },
      each.value.memory == null ? {} : { memory = tostring(each.value.memory) },
    ))
    ecs_parameters {
      task_definition_arn = module.task["batch"].newest_arn
      launch_type         = "FARGATE"
      network_configuration {
        subnets         = var.private_subnet_ids
        security_groups = [module.task["batch"].security_group_id]
      }
    }
    retry_policy {
      maximum_event_age_in_seconds = 3600
      maximum_retry_attempts       = 5
    }
  }
}

resource "aws_iam_role" "schedule" {
  name = "${local.name}-schedule"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sts:AssumeRole", Principal = { Service = "scheduler.amazonaws.com" }
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }] })
}

resource "aws_iam_role_policy" "schedule" {
  name = "run"
  role = aws_iam_role.schedule.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    {
      Effect    = "Allow", Action = ["ecs:RunTask"]
      Resource  = [module.task["batch"].newest_arn, "${module.task["batch"].newest_arn}:*"]
      Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
    },
    {
      Effect    = "Allow", Action = ["iam:PassRole"], Resource = module.task["batch"].role_arns
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    },
  ] })
}
