"""Fairness: proxy groups, what models and policies do to each, what equal treatment costs."""
