"""Whether a model becomes champion: the rule, the contest, the release."""
