# One service behind the load balancer: target group, rule, alarms and, where asked, autoscaling.
variable "name" { type = string }
variable "service" { type = string }
variable "cluster" { type = string }
variable "task_arn" { type = string }
variable "security_group_id" { type = string }
variable "vpc_id" { type = string }
variable "subnet_ids" { type = list(string) }
variable "port" { type = number }
variable "ready_path" { type = string }
variable "tasks" { type = number }
variable "max_tasks" { type = number }
variable "host" { type = string }
variable "clients" {
  description = "Networks that may use it; empty for all that reach the load balancer."
  type        = list(string)
}
variable "listener_arn" { type = string }
variable "balancer" { type = string }
variable "topic_arn" { type = string }

resource "aws_lb_target_group" "this" {
  name                 = var.name
  vpc_id               = var.vpc_id
  target_type          = "ip"
  protocol             = "HTTP"
  port                 = var.port
  deregistration_delay = 30
  health_check {
    path                = var.ready_path
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 3
  }
  # A page of the dashboard stays with its task.
  stickiness {
    enabled = var.service == "dashboard"
    type    = "lb_cookie"
  }
}

resource "aws_lb_listener_rule" "this" {
  listener_arn = var.listener_arn
  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
  condition {
    host_header { values = [var.host] }
  }
  dynamic "condition" {
    for_each = length(var.clients) > 0 ? [1] : []
    content {
      source_ip { values = var.clients }
    }
  }
}

resource "aws_ecs_service" "this" {
  name                               = var.service
  cluster                            = var.cluster
  task_definition                    = var.task_arn
  desired_count                      = var.tasks
  launch_type                        = "FARGATE"
  platform_version                   = "1.4.0"
  deployment_minimum_healthy_percent = 100
  deployment_maximum_percent         = 200
  health_check_grace_period_seconds  = 60
  propagate_tags                     = "SERVICE"
  deployment_circuit_breaker {
    enable   = true
    rollback = true
  }
  network_configuration {
    subnets         = var.subnet_ids
    security_groups = [var.security_group_id]
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = var.service
    container_port   = var.port
  }
  # Deployments set the revision, autoscaling the number of tasks.
  lifecycle { ignore_changes = [task_definition, desired_count] }
  depends_on = [aws_lb_listener_rule.this]
}

resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${var.name}-unhealthy"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "UnHealthyHostCount"
  dimensions          = { LoadBalancer = var.balancer, TargetGroup = aws_lb_target_group.this.arn_suffix }
  statistic           = "Minimum"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  period              = 60
  evaluation_periods  = 5
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}

# Tasks that cannot start are no unhealthy ones: there are none.
resource "aws_cloudwatch_metric_alarm" "down" {
  alarm_name          = "${var.name}-down"
  namespace           = "AWS/ApplicationELB"
  metric_name         = "HealthyHostCount"
  dimensions          = { LoadBalancer = var.balancer, TargetGroup = aws_lb_target_group.this.arn_suffix }
  statistic           = "Maximum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60
  evaluation_periods  = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "errors" {
  alarm_name          = "${var.name}-5xx"
  alarm_description   = "Over 1% of at least 20 answers a minute are 5xx, for 3 minutes of 5."
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [var.topic_arn]
  ok_actions          = [var.topic_arn]
  metric_query {
    id          = "rate"
    expression  = "IF(requests >= 20, 100 * FILL(errors, 0) / requests, 0)"
    label       = "5xx, %"
    return_data = true
  }
  dynamic "metric_query" {
    for_each = { errors = "HTTPCode_Target_5XX_Count", requests = "RequestCount" }
    content {
      id = metric_query.key
      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        dimensions  = { LoadBalancer = var.balancer, TargetGroup = aws_lb_target_group.this.arn_suffix }
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

resource "aws_appautoscaling_target" "this" {
  count              = var.max_tasks == null ? 0 : 1
  service_namespace  = "ecs"
  resource_id        = "service/${var.cluster}/${aws_ecs_service.this.name}"
  scalable_dimension = "ecs:service:DesiredCount"
  min_capacity       = var.tasks
  max_capacity       = var.max_tasks
}

resource "aws_appautoscaling_policy" "this" {
  count              = var.max_tasks == null ? 0 : 1
  name               = "cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = "ecs"
  resource_id        = aws_appautoscaling_target.this[0].resource_id
  scalable_dimension = aws_appautoscaling_target.this[0].scalable_dimension
  target_tracking_scaling_policy_configuration {
    target_value = 60
    predefined_metric_specification { predefined_metric_type = "ECSServiceAverageCPUUtilization" }
  }
}

output "arn" { value = aws_ecs_service.this.id }
