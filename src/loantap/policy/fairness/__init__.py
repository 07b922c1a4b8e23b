"""Fairness: proxy groups, how each is treated, what equal treatment costs."""
