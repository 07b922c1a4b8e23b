resource "aws_sns_topic" "alarms" {
  name              = "${local.name}-alarms"
  kms_master_key_id = aws_kms_key.this.arn
}

resource "aws_sns_topic_policy" "alarms" {
  arn = aws_sns_topic.alarms.arn
  policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Allow", Action = "sns:Publish", Resource = aws_sns_topic.alarms.arn
    Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
    Condition = { StringEquals = { "aws:SourceAccount" = local.account } }
  }] })
}

resource "aws_sns_topic_subscription" "alarms" {
  for_each  = toset(var.alarm_emails)
  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value
}

# What a failed run, a task that could not start, and a deployment that rolled back look like.
locals {
  failures = {
    task = {
      detail-type = ["ECS Task State Change"]
      detail = {
        clusterArn = [aws_ecs_cluster.this.arn], lastStatus = ["STOPPED"], group = ["family:${local.name}-batch"]
        "$or"      = [{ containers = { exitCode = [{ anything-but = 0 }] } }, { stopCode = ["TaskFailedToStart"] }]
      }
    }
    deployment = {
      detail-type = ["ECS Deployment State Change"]
      resources   = [for one in module.service : one.arn]
      detail      = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }
    }
  }
}

resource "aws_cloudwatch_event_rule" "failed" {
  for_each      = local.failures
  name          = "${local.name}-failed-${each.key}"
  event_pattern = jsonencode(merge({ source = ["aws.ecs"] }, each.value))
}

resource "aws_cloudwatch_event_target" "failed" {
  for_each = local.failures
  rule     = aws_cloudwatch_event_rule.failed[each.key].name
  arn      = aws_sns_topic.alarms.arn
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = {
    database-storage = ["AWS/RDS", "FreeStorageSpace", "Minimum", "LessThanThreshold", 4 * pow(1024, 3), 3]
    database-cpu     = ["AWS/RDS", "CPUUtilization", "Average", "GreaterThanThreshold", 80, 3]
    schedules        = ["AWS/Scheduler", "TargetErrorCount", "Sum", "GreaterThanThreshold", 0, 1]
  }
  alarm_name          = "${local.name}-${each.key}"
  namespace           = each.value[0]
  metric_name         = each.value[1]
  statistic           = each.value[2]
  comparison_operator = each.value[3]
  threshold           = each.value[4]
  evaluation_periods  = each.value[5]
  period              = 300
  treat_missing_data  = "notBreaching"
  dimensions = (each.key == "schedules" ? { ScheduleGroup = aws_scheduler_schedule_group.this.name }
  : { DBInstanceIdentifier = aws_db_instance.database.identifier })
  alarm_actions = [aws_sns_topic.alarms.arn]
  ok_actions    = [aws_sns_topic.alarms.arn]
}
