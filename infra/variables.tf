variable "environment" {
  type = string
  validation {
    condition     = contains(["staging", "production"], var.environment)
    error_message = "environment: take staging or production."
  }
}

variable "image_tag" {
  description = "Git SHA of the images in use, which the task definitions name."
  type        = string
  validation {
    condition     = can(regex("^[0-9a-f]{40}$", var.image_tag))
    error_message = "image_tag: give the full git SHA, 40 hexadecimal digits."
  }
}

variable "region" { type = string }

variable "shared" {
  description = "Make what an account has once: image repositories, trust in Bitbucket, role to push."
  type        = bool
}

# The VPC is the company's: its private subnets reach the three sources and, by NAT, AWS.
variable "vpc_id" { type = string }
variable "private_subnet_ids" {
  type = list(string)
  validation {
    condition     = length(var.private_subnet_ids) >= 2
    error_message = "private_subnet_ids: give two or more, in different availability zones."
  }
}
variable "client_cidrs" {
  description = "Networks that may use API and dashboard."
  type        = list(string)
}
variable "mlflow_cidrs" {
  description = "Those of them that may use MLflow as well, which asks nobody for a key."
  type        = list(string)
  validation {
    condition     = length(var.mlflow_cidrs) <= 3
    error_message = "mlflow_cidrs: give at most 3; a rule of the load balancer takes 5 values."
  }
}
variable "source_ports" {
  description = "Where the sources are, beside those on port 443."
  type        = list(object({ cidr = string, port = number }))
}

variable "domain" {
  description = "Services are api., dashboard. and mlflow. of it."
  type        = string
}
variable "zone_id" {
  description = "Private hosted zone of the domain."
  type        = string
}
variable "certificate_arn" {
  description = "For the domain and *. of it."
  type        = string
}

variable "alarm_emails" { type = list(string) }
variable "log_retention_days" {
  type    = number
  default = 90
}
variable "old_version_days" {
  description = "How long replaced and deleted objects of the bucket are kept."
  type        = number
  default     = 90
}

# Why these: README.md, "Task sizes".
variable "sizes" {
  description = "CPU units and MiB of each task; batch is for the largest pipeline."
  type        = map(object({ cpu = number, memory = number }))
  default = {
    batch     = { cpu = 2048, memory = 5120 }
    api       = { cpu = 1024, memory = 2048 }
    dashboard = { cpu = 512, memory = 1024 }
    mlflow    = { cpu = 512, memory = 1024 }
  }
}

variable "counts" {
  description = "Tasks of each service."
  type        = map(number)
  default     = { api = 2, dashboard = 1, mlflow = 1 }
}

variable "api_max_tasks" {
  description = "Up to which the API grows with its load; null for no autoscaling."
  type        = number
  default     = null
}

variable "schedules" {
  description = "What runs when; cpu and memory replace the size of batch."
  type = map(object({
    pipelines  = string
    expression = string
    cpu        = optional(number)
    memory     = optional(number)
  }))
  default = {
    ingestion = { pipelines = "ingestion", expression = "cron(0 1 * * ? *)", cpu = 1024, memory = 5120 }
    training  = { pipelines = "training", expression = "cron(0 5 1 * ? *)" }
  }
}

variable "admin_cidrs" {
  description = "Networks of those who set up the databases and run loantap-keys, loantap-audit and loantap-models."
  type        = list(string)
  default     = []
}

variable "database" {
  type = object({
    class       = string
    multi_az    = bool
    backup_days = number
    protected   = bool
  })
}

variable "bitbucket" {
  description = "Workspace (slug, UUID without braces), repository UUID and that of this deployment environment."
  type = object({
    workspace        = string
    workspace_uuid   = string
    repository_uuid  = string
    environment_uuid = string
  })
}
