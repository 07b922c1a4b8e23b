"""Which kind of leak a column is, by where its gain lies, in words."""

from collections.abc import Mapping
from typing import Final

import numpy as np

from loantap.model.leakage.additive import CrossFitted, Gain
from loantap.model.leakage.evidence import Evidence, GateVerdict
from loantap.model.leakage.expected import Z
from loantap.model.leakage.readings import YEAR, Reading
from loantap.portfolio.arrays import BoolArray

# Which loans a leak may be confined to: a vintage, a product.
SLICES: Final = (YEAR, "term_months", "grade")
_MOST: Final = 0.5
_FEWEST: Final = 20


def name_leak(reading: Reading, readings: Mapping[str, Reading], model: CrossFitted, limit: float) -> Evidence:
	"""Evidence against a column that adds more than `limit` to the AUC of all others."""
	gain = model.gain_of(reading.name)
	figures = {"auc_added": gain.auc, "auc_added_at_least": gain.at_least(Z), "auc_added_allowed": limit}
	found = _tell_missing(reading, model, gain)
	found = found or _tell_category(reading, model) or _tell_slice(reading, readings, model, limit)
	found = found or (
		"refreshed",
		f"refreshed after the decision: {reading.name} tells what no other column knows",
		"Ask the source for the value on the day of the application, and when it was last overwritten",
	)
	kind, seen, remedy = found
	return Evidence(
		kind,
		GateVerdict.CAUGHT,
		f"{seen}; it adds {gain.auc:.3f} (at least {gain.at_least(Z):.3f}, n {len(model.target):,}) to the AUC of all "
		f"other columns, and an honest column at most {limit:.3f}",
		remedy,
		figures,
	)


def _tell_missing(reading: Reading, model: CrossFitted, gain: Gain) -> tuple[str, str, str] | None:
	missing = reading.is_missing
	if reading.is_category or model.before(reading.name).gain_by(missing).auc < _MOST * gain.auc:
		return None
	bad = model.target == 1
	return (
		"missing",
		(
			f"missing more often for one outcome: {reading.name} is missing in {missing[bad].mean():.1%} of the loans "
			f"charged off and {missing[~bad].mean():.1%} of those repaid"
		),
		"Ask the source what empties the field after the application, or fills it later",
	)


def _tell_category(reading: Reading, model: CrossFitted) -> tuple[str, str, str] | None:
	if not reading.is_category:
		return None
	seen, expected, variance = model.before(reading.name).excess(reading.codes)
	worst = int(np.argmax(np.abs(seen - expected) / np.sqrt(np.maximum(variance, 1.0))))
	count = int((reading.codes == worst).sum())
	return (
		"category",
		(
			f"a category was refilled after the outcome: {reading.name} '{reading.labels[worst]}' holds {count:,} "
			f"loans of which {seen[worst] / count:.0%} were charged off where {expected[worst] / count:.0%} of such "
			"borrowers are"
		),
		f"Ask the source which process writes '{reading.labels[worst]}', and take the value as first entered",
	)


def _tell_slice(
	reading: Reading, readings: Mapping[str, Reading], model: CrossFitted, limit: float
) -> tuple[str, str, str] | None:
	for name in SLICES:
		if name == reading.name or name not in readings:
			continue
		told = find_slice(reading.name, readings[name], model, limit)
		if told:
			return told
	return None


def find_slice(column: str, slices: Reading, model: CrossFitted, limit: float) -> tuple[str, str, str] | None:
	"""The slices in which a column gains, if in the others it gains less than half of that at most."""
	parts = [slices.codes == code for code in np.unique(slices.codes)]
	gains = [model.gain_of(column, part) if _is_enough(part, model) else None for part in parts]
	inside = [gain is not None and gain.at_least(Z) > limit for gain in gains]
	if all(inside) or not any(inside):
		return None
	where = np.any([part for part, yes in zip(parts, inside, strict=True) if yes], axis=0)
	told, untold = model.gain_of(column, where), model.gain_of(column, ~where)
	if untold.at_most(Z) > told.auc / 2:
		return None
	names = [slices.labels[code] for code, yes in zip(np.unique(slices.codes), inside, strict=True) if yes]
	return (
		"slice",
		(
			f"in a part of the portfolio only: in {slices.name} {', '.join(names)} {column} adds {told.auc:.3f} to the "
			f"AUC, elsewhere {untold.auc:.3f}; borrowers do not change that much between vintages or products"
		),
		f"Ask the source how {column} of these loans was loaded: a migration or a refresh of a part of the table",
	)


def _is_enough(part: BoolArray, model: CrossFitted) -> bool:
	bad = int(model.target[part].sum())
	return min(bad, int(part.sum()) - bad) >= _FEWEST
