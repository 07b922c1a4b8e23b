"""Options of the policy lab."""

from typing import Annotated

from pydantic import Field, PositiveInt, field_validator

from loantap.policy.lab.rules import Rule
from loantap.policy.money.scenarios import PaidLife
from loantap.portfolio.options import Options


class LabOptions(Options):
    """Rules that are tested, and how others are searched for.

    Attributes:
        rules: written by hand, tested on all judged loans.
        paid_life: the one that decides whether a rule holds.
        min_loans: of a rule that declines fewer nothing is said about profit.
        edges: bounds tried of each number, at equal counts of loans.
        max_found: rules that the search puts forward alone, and as many after the model.
        max_overlap: share of a rule's declined loans that earlier rules may decline already.
    """

    rules: tuple[Rule, ...]
    paid_life: PaidLife
    min_loans: PositiveInt
    edges: Annotated[int, Field(ge=2, le=50)]
    max_found: PositiveInt
    max_overlap: Annotated[float, Field(ge=0, lt=1)]

    @field_validator("rules")
    @classmethod
    def _have_names_of_their_own(cls, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
        ids = [rule.id for rule in rules]
        twice = sorted({name for name in ids if ids.count(name) > 1})
        if twice:
            raise ValueError(f"two rules have the id {twice[0]!r}; rename one")
        taken = [name for name in ids if name.startswith("found_")]
        if taken:
            raise ValueError(f"the id {taken[0]!r} begins like those of the search; rename it")
        return rules
