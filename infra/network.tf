# Who reaches whom: our groups by the first table, networks by the second.
locals {
  group = merge({ for name, one in module.task : name => one.security_group_id }, {
    balancer = aws_security_group.balancer.id
    database = aws_security_group.database.id
  })
  flows = { for one in concat(
    [for name, task in local.services : ["balancer", name, task.port]],
    [for name in local.purposes : [name, "balancer", 443]],
    [for name in ["api", "mlflow"] : [name, "database", 5432]],
  ) : "${one[0]} to ${one[1]}" => { from = one[0], to = one[1], port = one[2] } }
  egress = merge(
    { for name in local.purposes : "${name} to AWS" => { from = name, cidr = "0.0.0.0/0", port = 443 } },
    { for one in var.source_ports : "batch to ${one.cidr}:${one.port}" => merge(one, { from = "batch" }) },
  )
}

resource "aws_vpc_security_group_ingress_rule" "groups" {
  for_each                     = local.flows
  security_group_id            = local.group[each.value.to]
  referenced_security_group_id = local.group[each.value.from]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "groups" {
  for_each                     = local.flows
  security_group_id            = local.group[each.value.from]
  referenced_security_group_id = local.group[each.value.to]
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_ingress_rule" "clients" {
  for_each          = toset(var.client_cidrs)
  security_group_id = local.group.balancer
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_ingress_rule" "admins" {
  for_each          = toset(var.admin_cidrs)
  security_group_id = aws_security_group.database.id
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

resource "aws_vpc_security_group_egress_rule" "networks" {
  for_each          = local.egress
  security_group_id = local.group[each.value.from]
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port
}
