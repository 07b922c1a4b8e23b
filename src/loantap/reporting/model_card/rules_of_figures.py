"""Rules about how well a model ranks and how true its PDs are."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

from loantap.reporting.formatting import count, decimal, decimal_interval, name_sample, percent, signed
from loantap.reporting.model_card.flags import Evidence, Flag, Rule, Severity, quote

_CHANCE: Final = 0.5
# An ECE this many times what a perfect model shows is no longer a close call.
_FAR: Final = 1.5
# A level this far from what was expected changes a price or a provision.
_MATERIAL: Final = 0.1


def _find_ranking(evidence: Evidence) -> list[Flag] | None:
	block, cv = evidence.blocks.get("out_of_time"), evidence.blocks.get("cv")
	if not block:
		finding, figure = "Not measured out of time", "too few loans that have run their term"
		meaning = "How it does on later applications is not known."
		return [Flag(Severity.AMBER, finding, figure, meaning)]
	figure = f"AUC {quote(block, 'roc_auc')}"
	if block["roc_auc_low"] <= _CHANCE:
		finding = "Out of time it may rank no better than chance"
		meaning = "Nothing shows that it tells good applications from bad ones: do not use it."
		return [Flag(Severity.RED, finding, figure, meaning)]
	flags = []
	if cv and block["roc_auc_high"] < cv["roc_auc"]:
		finding = "It ranks worse out of time than in cross-validation"
		figure += f", against {decimal(cv['roc_auc'])}, n = {count(cv['n'])}"
		meaning = "In use, expect the out-of-time figure, not the cross-validated one."
		flags.append(Flag(Severity.AMBER, finding, figure, meaning))
	judged = _list_judged(evidence)
	weak = [row for row in judged if row["roc_auc"] and row["roc_auc_low"] <= _CHANCE]
	if weak:
		worst = min(weak, key=lambda row: float(row["roc_auc"]))
		finding = f"At {len(weak)} of {len(judged)} origins its ranking may be chance"
		figure = f"AUC {quote(worst, 'roc_auc')} at the origin {worst['origin']}"
		meaning = "An origin has few loans: the figure of all origins together weighs more."
		flags.append(Flag(Severity.AMBER, finding, figure, meaning))
	return flags


def _find_f2(evidence: Evidence) -> list[Flag] | None:
	blocks = {sample: evidence.blocks.get(sample) for sample in ("out_of_time", "test")}
	found = {sample: block for sample, block in blocks.items() if block}
	unproven = {sample: b for sample, b in found.items() if b.get("f2_low", b["f2"]) <= b["f2_decline_all"]}
	below = {sample: b for sample, b in unproven.items() if b["f2"] < b["f2_decline_all"]}
	if not unproven:
		return [] if found else None
	figure = "; ".join(
		f"F2 {name_sample(sample)} {quote(block, 'f2')}, for declining everybody {decimal(block['f2_decline_all'])}"
		for sample, block in (below or unproven).items()
	)
	meaning = "No decision may rest on that threshold; those of the policy do not."
	if below:
		finding = "At its F2 threshold it does no better than declining everybody"
		return [Flag(Severity.RED, finding, figure, meaning)]
	finding = "At its F2 threshold it is not shown to do better than declining everybody"
	return [Flag(Severity.AMBER, finding, figure, meaning)]


def _find_level(evidence: Evidence) -> list[Flag] | None:
	origins = evidence.rolling_origin
	total = origins["pooled"] if origins else None
	if not total or total["observed_to_expected"] is None:
		return None
	off = [row for row in _list_judged(evidence) if _excludes_one(row)]
	is_off = _excludes_one(total)
	if not off and not is_off:
		return []
	figure = f"observed / expected {quote(total, 'observed_to_expected', 2)}"
	worst = max(off, key=lambda row: abs(math.log(row["observed_to_expected"] or 1e-9)), default={})
	if worst:
		worst_figure = quote(worst, "observed_to_expected", 2)
		figure += f"; furthest off at the origin {worst['origin']}: {worst_figure}"
	about = total if is_off else worst
	where = "out of time" if is_off else f"at the origin {worst['origin']}"
	is_large = abs(total["observed_to_expected"] - 1) >= _MATERIAL
	severity = Severity.RED if is_off and is_large else Severity.AMBER
	level = f"mean PD {percent(about['mean_pd'])}, default rate {percent(about['default_rate'])}"
	if about["observed_to_expected"] < 1:
		finding, effect = f"Its PDs are too high {where}", "Good applicants look worse than they"
		effect += " are"
	else:
		finding, effect = f"Its PDs are too low {where}", "Losses exceed what the PDs promise"
	meaning = f"{effect} ({level}). Recalibrate before a PD sets a price, a limit or a provision."
	return [Flag(severity, finding, figure, meaning)]


def _find_calibration(evidence: Evidence) -> list[Flag] | None:
	measured = {sample: block for sample, block in evidence.blocks.items() if block}
	if not measured:
		return None
	off = {
		sample: block
		for sample, block in measured.items()
		if block["ece"] > max(block["ece_perfect_high"], evidence.tolerated_ece)
	}
	if not off:
		return []
	is_far = any(block["ece"] > _FAR * block["ece_perfect_high"] for block in off.values())
	figure = "; ".join(
		f"ECE {name_sample(sample)} {decimal(block['ece'])}, a perfect model up to "
		f"{decimal(block['ece_perfect_high'])}, n = {count(block['n'])}"
		for sample, block in off.items()
	)
	severity = Severity.RED if is_far else Severity.AMBER
	finding = f"Its PDs are off by {'far ' if is_far else ''}more than chance"
	meaning = "Read a PD as a band, not as a point: groups of loans miss theirs by about the ECE."
	return [Flag(severity, finding, figure, meaning)]


def _find_external(evidence: Evidence) -> list[Flag] | None:
	external = evidence.external
	if not external:
		return None
	flags = []
	if external["auc_gain_low"] <= 0:
		is_worse = external["auc_gain_high"] < 0
		bounds = decimal_interval(external["auc_gain_low"], external["auc_gain_high"])
		severity = Severity.RED if is_worse else Severity.AMBER
		finding = (
			f"On the external sample it {'ranks worse' if is_worse else 'is not shown to rank better'} than the "
			"interest rate alone"
		)
		gain = f"gain in AUC {signed(external['auc_gain'], 3)} ({bounds}), n = {count(external['n'])}"
		meaning = "Where a rate has been offered, the rate alone says at least as much."
		flags.append(Flag(severity, finding, gain, meaning))
	if not external["is_overlap_checked"]:
		finding = "It may have learnt from the external sample"
		figure = "the version does not say which loans it was trained on"
		meaning = "Its figures on that sample may be too good."
		flags.append(Flag(Severity.AMBER, finding, figure, meaning))
	return flags


RULES: Final[Sequence[Rule]] = (
	Rule(
		"Ranking",
		"AUC out of time. Red where its 95% interval reaches 0.5, which is chance. Amber where the interval lies below "
		"the cross-validated AUC, where it reaches 0.5 at an origin, or where nothing was measured.",
		_find_ranking,
	),
	Rule(
		"F2",
		"F2 on the test split and out of time. Red where it is below that of declining everybody, amber where its 95% "
		"interval reaches that: a threshold has to show that it beats declining everybody.",
		_find_f2,
	),
	Rule(
		"Level of the PDs",
		"Observed over expected defaults out of time. Red where the 95% interval of the total "
		f"excludes 1 and the total is off by {_MATERIAL:.0%} or more; amber where it is off by "
		"less, or where only the interval of an origin excludes 1.",
		_find_level,
	),
	Rule(
		"Calibration",
		"ECE of each sample, unless the rule of promotion calls it immaterial. Amber where it is above what a perfect "
		f"model of the same PDs shows 95 times in 100, red where it is more than {_FAR:g} times that.",
		_find_calibration,
	),
	Rule(
		"External sample",
		"Gain in AUC over the interest rate alone. Red where its 95% interval lies below 0; amber "
		"where it reaches 0, or where the model may have learnt from the sample.",
		_find_external,
	),
)


def _list_judged(evidence: Evidence) -> list[Mapping[str, Any]]:
	origins = evidence.rolling_origin["origins"] if evidence.rolling_origin else []
	return [row for row in origins if not row["skipped"] and row["observed_to_expected"] is not None]


def _excludes_one(row: Mapping[str, Any]) -> bool:
	low, high = row["observed_to_expected_low"], row["observed_to_expected_high"]
	return bool(low > 1 or high < 1)
