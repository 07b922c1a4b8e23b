# What stands as 0 or "example" is to be replaced once: README.md, "Once".
environment        = "production"
region             = "eu-west-1"
shared             = false
vpc_id             = "vpc-00000000000000000"
private_subnet_ids = ["subnet-00000000000000000", "subnet-00000000000000001"]
client_cidrs       = ["10.0.0.0/8"]
mlflow_cidrs       = ["10.20.0.0/16"]
source_ports       = [{ cidr = "10.10.0.0/16", port = 5432 }, { cidr = "10.10.0.0/16", port = 50000 }]
domain             = "underwriting.example"
zone_id            = "Z00000000000000000000"
certificate_arn    = "arn:aws:acm:eu-west-1:000000000000:certificate/00000000-0000-0000-0000-000000000000"
alarm_emails       = ["underwriting-production@example.com"]
log_retention_days = 400
api_max_tasks      = 6
database           = { class = "db.t4g.medium", multi_az = true, backup_days = 35, protected = true }
bitbucket = {
  workspace        = "example"
  workspace_uuid   = "00000000-0000-0000-0000-000000000000"
  repository_uuid  = "00000000-0000-0000-0000-000000000001"
  environment_uuid = "00000000-0000-0000-0000-000000000003"
}
