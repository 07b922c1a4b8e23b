terraform {
  required_version = "~> 1.11"
  required_providers {
    aws = { source = "hashicorp/aws", version = "5.100.0" }
  }
  backend "s3" {}
}

provider "aws" {
  region = var.region
  default_tags { tags = { project = "loantap", environment = var.environment } }
}

data "aws_caller_identity" "this" {}
data "aws_vpc" "this" { id = var.vpc_id }

locals {
  name     = "loantap-${var.environment}"
  account  = data.aws_caller_identity.this.account_id
  sources  = ["warehouse", "appstream", "business_events", "warehouse_output"]
  secrets  = toset(concat(local.sources, ["audit", "mlflow"]))
  purposes = keys(local.tasks)
  services = { for name, task in local.tasks : name => task if name != "batch" }

  secret     = { for name, one in aws_secretsmanager_secret.this : name => one.arn }
  read_data  = { actions = ["s3:GetObject", "s3:ListBucket"], resources = [aws_s3_bucket.data.arn, "${aws_s3_bucket.data.arn}/state/*"] }
  write_data = { actions = ["s3:PutObject", "s3:AbortMultipartUpload"], resources = ["${aws_s3_bucket.data.arn}/state/*"] }
  read_key   = { actions = ["kms:Decrypt"], resources = [aws_kms_key.this.arn] }
  write_key  = { actions = ["kms:Decrypt", "kms:GenerateDataKey"], resources = [aws_kms_key.this.arn] }
  shared_variables = {
    AWS_REGION          = var.region
    LOANTAP_BUCKET      = aws_s3_bucket.data.id
    MLFLOW_TRACKING_URI = "https://mlflow.${var.domain}"
  }

  tasks = {
    batch = {
      stop_timeout = 120
      permissions  = [local.read_data, local.write_data, local.write_key]
      variables    = local.shared_variables
      secrets      = { for name in local.sources : "LOANTAP_${upper(name)}" => local.secret[name] }
    }
    api = {
      port         = 8000, health_path = "/healthz", ready_path = "/readyz"
      stop_timeout = 40 # a request in flight has 30 s
      permissions  = [local.read_data, local.read_key]
      variables    = local.shared_variables
      secrets      = { LOANTAP_AUDIT_URL = local.secret["audit"] }
    }
    dashboard = {
      port         = 8501, health_path = "/_stcore/health"
      stop_timeout = 30
      permissions  = [local.read_data, local.read_key]
      variables    = merge(local.shared_variables, { LOANTAP_API_URL = "https://api.${var.domain}" })
      secrets      = {}
    }
    mlflow = {
      port         = 5000, health_path = "/health"
      stop_timeout = 30
      permissions = [
        local.write_key,
        { actions = ["s3:ListBucket"], resources = [aws_s3_bucket.data.arn] },
        { actions = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], resources = ["${aws_s3_bucket.data.arn}/mlflow/*"] },
      ]
      variables = {
        MLFLOW_ARTIFACTS_DESTINATION = "s3://${aws_s3_bucket.data.id}/mlflow"
        MLFLOW_SERVER_ALLOWED_HOSTS  = "mlflow.${var.domain}"
      }
      secrets = { MLFLOW_BACKEND_STORE_URI = local.secret["mlflow"] }
    }
  }
}

resource "aws_ecs_cluster" "this" {
  name = local.name
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}

module "task" {
  source             = "./modules/task"
  for_each           = local.tasks
  name               = local.name
  environment        = var.environment
  purpose            = each.key
  region             = var.region
  account            = local.account
  vpc_id             = var.vpc_id
  image_tag          = var.image_tag
  size               = var.sizes[each.key]
  kms_key_arn        = aws_kms_key.this.arn
  log_retention_days = var.log_retention_days
  task               = each.value
}

module "service" {
  source            = "./modules/service"
  for_each          = local.services
  name              = "${local.name}-${each.key}"
  service           = each.key
  cluster           = aws_ecs_cluster.this.name
  task_arn          = module.task[each.key].arn
  security_group_id = module.task[each.key].security_group_id
  vpc_id            = var.vpc_id
  subnet_ids        = var.private_subnet_ids
  port              = each.value.port
  ready_path        = try(each.value.ready_path, each.value.health_path)
  tasks             = var.counts[each.key]
  max_tasks         = each.key == "api" ? var.api_max_tasks : null
  host              = "${each.key}.${var.domain}"
  clients           = each.key == "mlflow" ? concat([data.aws_vpc.this.cidr_block], var.mlflow_cidrs) : []
  listener_arn      = aws_lb_listener.this.arn
  balancer          = aws_lb.this.arn_suffix
  topic_arn         = aws_sns_topic.alarms.arn
}

output "cluster" { value = aws_ecs_cluster.this.name }
output "bucket" { value = aws_s3_bucket.data.id }
output "database" { value = aws_db_instance.database.address }
output "database_owner_secret" { value = one(aws_db_instance.database.master_user_secret[*].secret_arn) }
output "balancer" { value = aws_lb.this.dns_name }
output "deploy_role" { value = aws_iam_role.deploy.arn }
output "push_role" { value = one(aws_iam_role.push[*].arn) }
