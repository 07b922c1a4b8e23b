"""An application and its decision on the screen: fields, outcome, figures, reasons, points, offers."""

from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate
from typing import Any, Final

import streamlit as st

from loantap.reporting.formatting import (
  CURRENCY,
  NOTHING,
  capitalize_first,
  count,
  decimal,
  money,
  name_category,
  percent,
  signed,
)
from loantap.serving.api.schemas import Contribution, Offer
from loantap.serving.api.service_schemas import FieldOfApplication, Fields
from loantap.serving.cases.case import QueuedCase
from loantap.serving.dashboard.answers import Decision
from loantap.serving.dashboard.client import Api
from loantap.serving.dashboard.frame import show_figures, show_table

HEADLINES: Final = {"approve": "Approve", "refer": "Refer to a person", "decline": "Decline"}
# Steps of the waterfall, and points below which they are told together.
_LARGEST: Final = 10
_SMALL: Final = 0.05


def show_decision(decision: Decision) -> None:
  """All that is known of a decision, the most important first."""
  st.html(
    f'<div class="lt-outcome {decision.decision}"><h2>{HEADLINES[decision.decision]}</h2>'
    f"<span>{decision.at:%Y-%m-%d %H:%M} UTC, recorded as {escape(decision.id)}</span></div>"
  )
  show_figures(
    *list_figures(decision),
    ("Policy", decision.policy.version, f"model {decision.model.name} {decision.model.version}"),
  )
  show_reasons(decision.decision, decision.reasons)
  if decision.contributions:
    st.subheader("What moved the score", anchor=False)
    st.html(write_waterfall(decision.base_points or 0.0, decision.contributions, decision.score))
    st.caption(
      "In points, largest first: ▲ raises the score, ▼ lowers it. 50 points more double the "
      "odds that the loan is paid back."
    )
  if decision.offers or decision.no_offers:
    st.subheader("Offers side by side", anchor=False)
  if decision.offers:
    cards = "".join(_write_offer(one) for one in decision.offers)
    st.html(f'<div class="lt-offers">{cards}</div>')
  if decision.no_offers:
    st.info(f"**No offers can be made.** {decision.no_offers} The decision stands without.")


def list_figures(decision: Decision | QueuedCase) -> list[tuple[str, str, str]]:
  """PD, score and expected NPV, with what a reader must know of each."""
  npv = decision.expected_npv
  return [
    ("Probability of default", percent(decision.probability_of_default), "over the life of the loan"),
    ("Score", count(decision.score), "300 to 900, more is safer"),
    ("Expected NPV", NOTHING if npv is None else money(npv), f"in {CURRENCY}, over the life of the loan"),
  ]


def show_reasons(decision: str, reasons: list[str]) -> None:
  """Why, as a list."""
  if not reasons:
    return
  decided = "" if decision == "approve" else "What decided, and "
  heading = f"{decided}what counts most against the applicant"
  listed = "\n".join(f"- {capitalize_first(reason)}" for reason in reasons)
  st.markdown(f"**{capitalize_first(heading)}**\n\n{listed}")


def _write_offer(one: Offer) -> str:
  term = NOTHING if one.term_months is None else f"{one.term_months} months"
  rate = NOTHING if one.rate_pct is None else f"{one.rate_pct:.2f}% a year"
  npv = NOTHING if one.expected_npv is None else money(one.expected_npv)
  figures = [
    ("Amount", count(one.amount)),
    ("Term", term),
    ("Rate", rate),
    ("Instalment a month", decimal(one.instalment, 2)),
    ("Probability of default", percent(one.probability_of_default)),
    ("Expected NPV", npv),
    ("Decision", one.decision),
  ]
  listed = "".join(f"<dt>{name}</dt><dd>{escape(value)}</dd>" for name, value in figures)
  title = escape(capitalize_first(one.kind))
  told = f"<dl>{listed}</dl>" if one.amount is not None else ""
  return f'<div class="lt-offer"><h4>{title}</h4>{told}<p>{escape(one.reason)}</p></div>'


def list_steps(contributions: Sequence[Contribution]) -> list[tuple[str, float]]:
  """Facts and points, largest first; one fact's features, and small facts, together."""
  points: dict[str, float] = {}
  for one in contributions:
    points[one.label] = points.get(one.label, 0.0) + one.points
  ordered = sorted(points.items(), key=lambda step: -abs(step[1]))
  shown = [step for step in ordered[:_LARGEST] if abs(step[1]) >= _SMALL]
  rest = sum(step[1] for step in ordered[len(shown) :])
  return [*shown, ("all others", rest)] if abs(rest) >= _SMALL else shown


def write_waterfall(base: float, contributions: Sequence[Contribution], score: int) -> str:
  """A table from every loan's base points to the score, with bars; it reads as text, too."""
  steps = list_steps(contributions)
  ends = [*accumulate((points for _, points in steps), initial=base)]
  low = min(ends)
  width = max(ends) - low or 1.0
  rows = [_write_row("Where every loan starts", decimal(base, 1))]
  for (label, points), start in zip(steps, ends, strict=False):
    left = 100 * (min(start, start + points) - low) / width
    way, mark = ("up", "▲") if points > 0 else ("down", "▼")
    place = f"left:{left:.2f}%;width:{100 * abs(points) / width:.2f}%"
    bar = f'<i class="{way}" style="{place}"></i>'
    rows.append(_write_row(capitalize_first(label), f"{mark} {signed(points)}", bar))
  rows.append(_write_row("Score", str(score)))
  return f'<table class="lt-waterfall">{"".join(rows)}</table>'


def _write_row(label: str, points: str, bar: str = "") -> str:
  cells = f"<th scope=row>{escape(label)}</th><td class=num>{points}</td>"
  return f"<tr>{cells}<td>{bar}</td></tr>"


def explain_field(one: FieldOfApplication, more: str = "") -> str:
  """A field's meaning, unit, further remarks, and name in files."""
  unit = f", in {one.unit}" if one.unit else ""
  return f"{one.meaning}{unit}{more}. In files: `{one.name}`"


def word_choice(one: FieldOfApplication, value: str | float) -> str:
  """A choice as people read it; the API is sent the value itself."""
  return name_category(value) if isinstance(value, str) else f"{value:g} {one.unit}".strip()


def list_values(schema: Fields, given: Mapping[str, Any]) -> list[tuple[str, str]]:
  """Each field's name and value, in the order of the schema."""
  return [(one.label, _word(one, given[one.name])) for one in schema.fields if one.name in given]


def show_application(api: Api, given: Mapping[str, Any]) -> None:
  """The fields of an application as a table, folded."""
  with st.expander("Application"):
    show_table(("Field", "Value"), list_values(api.read_schema(), given), {1})


def _word(one: FieldOfApplication, value: object) -> str:
  if value is None:
    return "not known"
  if isinstance(value, int | float):
    return f"{value:,.10g}"
  return name_category(str(value)) if one.kind == "category" else str(value)
