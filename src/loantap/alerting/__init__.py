"""Alerts kept until they are delivered: by mail, chat, webhook, SNS, and as Jira issues."""
