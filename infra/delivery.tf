# Bitbucket Pipelines: no keys. Any step of the repository may push; only one of this environment may deploy.
locals {
  issuer = "api.bitbucket.org/2.0/workspaces/${var.bitbucket.workspace}/pipelines-config/identity/oidc"
  trust = { for role, subject in {
    push   = "{${var.bitbucket.repository_uuid}}:*"
    deploy = "{${var.bitbucket.repository_uuid}}:{${var.bitbucket.environment_uuid}}:*"
    } : role => jsonencode({ Version = "2012-10-17", Statement = [{
      Effect    = "Allow", Action = "sts:AssumeRoleWithWebIdentity"
      Principal = { Federated = "arn:aws:iam::${local.account}:oidc-provider/${local.issuer}" }
      Condition = {
        StringEquals = { "${local.issuer}:aud" = "ari:cloud:bitbucket::workspace/${var.bitbucket.workspace_uuid}" }
        StringLike   = { "${local.issuer}:sub" = subject }
      }
  }] }) }
  login        = { Effect = "Allow", Action = ["ecr:GetAuthorizationToken"], Resource = ["*"] }
  repositories = ["arn:aws:ecr:${var.region}:${local.account}:repository/loantap/*"]
}

resource "aws_iam_openid_connect_provider" "bitbucket" {
  count          = var.shared ? 1 : 0
  url            = "https://${local.issuer}"
  client_id_list = ["ari:cloud:bitbucket::workspace/${var.bitbucket.workspace_uuid}"]
}

resource "aws_iam_role" "push" {
  count              = var.shared ? 1 : 0
  name               = "loantap-push"
  assume_role_policy = local.trust.push
}

resource "aws_iam_role_policy" "push" {
  count = var.shared ? 1 : 0
  name  = "push"
  role  = aws_iam_role.push[0].id
  policy = jsonencode({ Version = "2012-10-17", Statement = [local.login, {
    Effect = "Allow", Resource = local.repositories
    Action = [
      "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages",
      "ecr:DescribeImageScanFindings", "ecr:GetDownloadUrlForLayer", "ecr:InitiateLayerUpload", "ecr:PutImage",
      "ecr:UploadLayerPart",
    ]
  }] })
}

resource "aws_iam_role" "deploy" {
  name               = "${local.name}-deploy"
  assume_role_policy = local.trust.deploy
}

resource "aws_iam_role_policy" "deploy" {
  name = "deploy"
  role = aws_iam_role.deploy.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = ["ecr:DescribeImages"], Resource = local.repositories },
    { # These know no narrower resource.
      Effect = "Allow", Resource = ["*"]
      Action = [
        "ecs:DeregisterTaskDefinition", "ecs:DescribeTaskDefinition", "ecs:ListTaskDefinitions",
        "ecs:RegisterTaskDefinition", "scheduler:ListSchedules",
      ]
    },
    {
      Effect    = "Allow", Action = ["ecs:ListTasks"], Resource = ["*"]
      Condition = { ArnEquals = { "ecs:cluster" = aws_ecs_cluster.this.arn } }
    },
    {
      Effect   = "Allow", Action = ["ecs:DescribeServices", "ecs:UpdateService"]
      Resource = [for one in module.service : one.arn]
    },
    {
      Effect   = "Allow", Action = ["ecs:DescribeTasks", "ecs:TagResource"]
      Resource = [for kind in ["task/${local.name}/*", "task-definition/${local.name}-*:*"] : "arn:aws:ecs:${var.region}:${local.account}:${kind}"]
    },
    {
      Effect   = "Allow", Action = ["scheduler:GetSchedule"]
      Resource = [for one in aws_scheduler_schedule.this : one.arn]
    },
    {
      Effect    = "Allow", Action = ["iam:PassRole"], Resource = flatten([for one in module.task : one.role_arns])
      Condition = { StringEquals = { "iam:PassedToService" = "ecs-tasks.amazonaws.com" } }
    },
  ] })
}
