# PostgreSQL for the audit log and MLflow: one instance, a database and a login of each.

resource "aws_db_subnet_group" "database" {
  name       = local.name
  subnet_ids = var.private_subnet_ids
}

resource "aws_security_group" "database" {
  name        = "${local.name}-database"
  description = "PostgreSQL of ${local.name}"
  vpc_id      = var.vpc_id
}

resource "aws_db_instance" "database" {
  identifier            = local.name
  engine                = "postgres"
  engine_version        = "16"
  instance_class        = var.database.class
  allocated_storage     = 20
  max_allocated_storage = 200
  storage_type          = "gp3"
  storage_encrypted     = true
  kms_key_id            = aws_kms_key.this.arn

  username = "loantap"
  # RDS makes the password, keeps it in Secrets Manager and changes it: no state holds it.
  manage_master_user_password   = true
  master_user_secret_kms_key_id = aws_kms_key.this.arn

  db_subnet_group_name            = aws_db_subnet_group.database.name
  vpc_security_group_ids          = [aws_security_group.database.id]
  publicly_accessible             = false
  multi_az                        = var.database.multi_az
  backup_retention_period         = var.database.backup_days
  copy_tags_to_snapshot           = true
  deletion_protection             = var.database.protected
  skip_final_snapshot             = !var.database.protected
  final_snapshot_identifier       = "${local.name}-final"
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
