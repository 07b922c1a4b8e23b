# Inside the company's network alone: who is not in client_cidrs, or one of our tasks, gets no answer.
resource "aws_security_group" "balancer" {
  name        = "${local.name}-balancer"
  description = "Load balancer of ${local.name}"
  vpc_id      = var.vpc_id
}

resource "aws_lb" "this" {
  name                       = local.name
  internal                   = true
  load_balancer_type         = "application"
  subnets                    = var.private_subnet_ids
  security_groups            = [aws_security_group.balancer.id]
  drop_invalid_header_fields = true
  enable_deletion_protection = var.database.protected
  idle_timeout               = 120
}

resource "aws_lb_listener" "this" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = var.certificate_arn
  default_action {
    type = "fixed-response"
    fixed_response {
      content_type = "text/plain"
      status_code  = "404"
    }
  }
}

resource "aws_route53_record" "this" {
  for_each = local.services
  zone_id  = var.zone_id
  name     = "${each.key}.${var.domain}"
  type     = "A"
  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
