"""What the case study said, and what the loans say, line by line."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from loantap.measures.intervals import Z95
from loantap.policy.findings.effects import (
	Finding,
	control_discoveries,
	measure_gaps,
	measure_profits,
	name_findings,
	tell_answer,
)
from loantap.policy.findings.evidence import Evidence
from loantap.policy.findings.segmentations import SEGMENTATIONS, Role
from loantap.policy.options import FindingsOptions


class Verdict(StrEnum):
	"""What becomes of a claim."""

	SHOWN = "shown"  # other factors equal, the loans show what was claimed
	NOT_SHOWN = "not shown"  # there are loans enough, and they do not show it
	REVERSED = "reversed"  # they show the opposite
	TOO_FEW = "too few loans to say"
	AUDIT_ONLY = "audit only"  # they show it, and nothing may be lent on it


@dataclass(frozen=True, slots=True)
class Claim:
	"""One claim of the published case study, in our words.

	The `segments` are said to have the `direction`, beside all other loans. What it asks for is `asked`; `instead` is
	done.
	"""

	topic: str
	said: str
	asked: str
	segmentation: str
	segments: tuple[str, ...]
	direction: Finding
	instead: str


_NO_PINCODE = (
	"No decision, limit or price depends on the pincode: each loan is judged by its own expected "
	"profit. Outcomes by pincode are audited; a limit on a region is one of the portfolio."
)
_PROFESSION = "The profession is in no decision and no offer: each loan is judged by its own expected profit."


def _about_pincode(pincode: str, direction: Finding) -> Claim:
	if direction is Finding.MORE:
		said, asked = "has a high risk", f"Stricter policies and lower limits in pincode {pincode}"
	else:
		said, asked = "is a safer region", f"More lending in pincode {pincode}"
	return Claim(f"pincode {pincode}", f"Pincode {pincode} {said}", asked, "pincode", (pincode,), direction, _NO_PINCODE)


def _about_profession(group: str, plural: str) -> Claim:
	return Claim(
		plural,
		f"{plural.capitalize()} repay more often",
		f"Products aimed at {plural}",
		"profession",
		(group,),
		Finding.FEWER,
		_PROFESSION,
	)


CLAIMS = (
	Claim(
		"higher amounts",
		"Higher amounts default more often",
		"Amounts cut by risk",
		"loan_amount",
		("20,000 to 25,000", "25,000 to 30,000", "30,000 and more"),
		Finding.MORE,
		"The amount is limited by what the loan is expected to earn and by the policy's caps.",
	),
	_about_pincode("11650", Finding.MORE),
	_about_pincode("86630", Finding.MORE),
	_about_pincode("48052", Finding.FEWER),
	_about_pincode("70466", Finding.FEWER),
	_about_pincode("30723", Finding.FEWER),
	Claim(
		"longer terms",
		"Loans of 60 months are riskier",
		"Shorter terms for higher risks",
		"term_months",
		("60 months",),
		Finding.MORE,
		"A shorter term is among the offers; rules on terms are tried in the policy lab first.",
	),
	Claim(
		"high DTI",
		"A DTI of 30% and more goes with default",
		"A cap on the DTI",
		"dti_pct",
		("30 to 35%", "35% and more"),
		Finding.MORE,
		"Caps are tried in the policy lab and proposed where they raise the profit.",
	),
	Claim(
		"high utilisation",
		"A revolving utilisation of 80% and more goes with default",
		"A cap on revolving utilisation",
		"revolving_utilisation_pct",
		("80 to 100%", "100% and more"),
		Finding.MORE,
		"Caps are tried in the policy lab and proposed where they raise the profit.",
	),
	Claim(
		"grade A",
		"Grade A repays far more often",
		"More loans of grade A",
		"grade",
		("A",),
		Finding.FEWER,
		"Loans are sought by what they earn at their own price, not by their grade.",
	),
	Claim(
		"mortgage",
		"Borrowers with a mortgage default less often",
		"Home ownership in the assessment",
		"home_ownership",
		("MORTGAGE",),
		Finding.FEWER,
		"Home ownership is in no decision: it stands for wealth and adds next to nothing to the models.",
	),
	_about_profession("director", "directors"),
	_about_profession("project manager", "project managers"),
	_about_profession("teacher", "teachers"),
	_about_profession("manager", "managers"),
)


def judge_claims(evidence: Evidence, options: FindingsOptions) -> pd.DataFrame:
	"""The claims in the order of the case study, as `schemas.CLAIMS` has them; effects in percentage points.

	`q_value` controls the false discovery rate over the claims, those on pincodes apart.
	"""
	table = pd.DataFrame([_measure(claim, evidence) for claim in CLAIMS])
	audit = table["segmentation"].map(lambda name: SEGMENTATIONS[name].role) == Role.AUDIT
	table["q_value"] = control_discoveries(table["p_value"], audit)
	table["finding"] = name_findings(table["effect"], table["q_value"], options.false_discovery_rate)
	verdicts = [
		judge(claim.direction, finding, is_audit=is_audit)
		for claim, finding, is_audit in zip(CLAIMS, table["finding"], audit, strict=True)
	]
	table["verdict"] = [verdict.value for verdict in verdicts]
	table["answer"] = [
		tell_answer(row, is_audit=bool(is_audit), is_refused=bool(is_audit) and claim.direction is Finding.MORE)
		for claim, is_audit, (_, row) in zip(CLAIMS, audit, table.iterrows(), strict=True)
	]
	return table


def judge(claimed: Finding, found: str, *, is_audit: bool) -> Verdict:
	"""The verdict on a claim of more or of fewer defaults.

	>>> judge(Finding.MORE, "fewer defaults", is_audit=False).value
	'reversed'
	"""
	match found:
		case Finding.TOO_FEW:
			return Verdict.TOO_FEW
		case Finding.NONE:
			return Verdict.NOT_SHOWN
		case _ if found != claimed:
			return Verdict.REVERSED
		case _:
			return Verdict.AUDIT_ONLY if is_audit else Verdict.SHOWN


def _measure(claim: Claim, evidence: Evidence) -> dict[str, Any]:
	segment = evidence.segments[claim.segmentation].cat
	members = np.flatnonzero(segment.categories.isin(claim.segments))
	inside = np.isin(segment.codes.to_numpy(), members)
	loans, charged_off = int(inside.sum()), int(evidence.outcome[inside].sum())
	effect = evidence.compare(claim.segmentation, members)
	value, half = effect.value * 100, Z95 * effect.error * 100
	gaps = measure_gaps(np.array([charged_off]), np.array([loans]), int(evidence.outcome.sum()), len(inside))
	profits = measure_profits(evidence, inside.astype(np.int8), 2)
	return {
		"topic": claim.topic,
		"said": claim.said,
		"asked": claim.asked,
		"segmentation": claim.segmentation,
		"segments": "; ".join(claim.segments),
		"claimed": claim.direction.value,
		"loans": loans,
		"charged_off": charged_off,
		**{name: float(of_all[0]) for name, of_all in gaps.items()},
		"effect": value,
		"effect_low": value - half,
		"effect_high": value + half,
		"p_value": 2 * float(norm.sf(abs(value) * Z95 / half)) if half else float("nan"),
		**{name: float(of_both[1]) for name, of_both in profits.items()},
		"instead": claim.instead,
	}
