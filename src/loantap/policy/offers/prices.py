"""The rate at which a loan earns its margin.

Expected NPV rises with the rate and is linear in the PD: the highest PD that a rate pays for has a closed form. A loan
gets the lowest rate, in hundredths of a percent, that pays for its PD: for funds, expected loss, cost of origination
and the margin, and no more, unless the band asks for it.
"""

from dataclasses import dataclass

import numpy as np

from loantap.policy.money.cash_flows import Scenario, value_units
from loantap.policy.options import OffersOptions, RateBand
from loantap.portfolio.amortisation import emi
from loantap.portfolio.arrays import BoolArray, FloatArray, IntArray
from loantap.portfolio.dictionary import TERMS_MONTHS
from loantap.portfolio.errors import InputError

# Rates are in hundredths of a percent.
_PARTS = 100


@dataclass(frozen=True, slots=True)
class Prices:
	"""What loans cost, and whether they can be had; arrays of one shape.

	`rate_pct` is nominal, yearly, in percent: the band's highest where that is not enough; `instalment` and expected
	`npv` are per unit of principal; `is_lendable`: the PD is one that is lent to.
	"""

	rate_pct: FloatArray
	instalment: FloatArray
	npv: FloatArray
	is_lendable: BoolArray
	is_payable: BoolArray


@dataclass(frozen=True, slots=True)
class PriceList:
	"""The rates of one term, rising by a hundredth of a percent; NPV and instalment are per unit of principal.

	`highest_pd` is what each rate pays for, below 0 for none; `lowest` and `highest` are the places of each band's rates,
	`band_ends` its highest PD.
	"""

	rates_pct: FloatArray
	highest_pd: FloatArray
	instalment: FloatArray
	paid: FloatArray
	charged_off: FloatArray
	band_ends: FloatArray
	lowest: IntArray
	highest: IntArray

	def price(self, probability_of_default: FloatArray) -> Prices:
		"""Rate, instalment and expected NPV of loans of any PD."""
		band = np.searchsorted(self.band_ends, probability_of_default)
		is_lendable = band < len(self.band_ends)
		band = np.minimum(band, len(self.band_ends) - 1)
		# The first rate that pays for the PD; past the end where none does.
		needed = np.searchsorted(self.highest_pd, probability_of_default)
		highest = self.highest[band]
		place = np.minimum(np.maximum(needed, self.lowest[band]), highest)
		paid = self.paid[place]
		return Prices(
			self.rates_pct[place],
			self.instalment[place],
			paid + (self.charged_off[place] - paid) * probability_of_default,
			is_lendable,
			needed <= highest,
		)


def list_prices(options: OffersOptions, scenario: Scenario) -> tuple[PriceList, ...]:
	"""The rates of each term of `TERMS_MONTHS`; refused is a band that earns the margin on no PD."""
	bands = options.rate_bands
	first = _part(bands[0].lowest_pct)
	rates = np.arange(first, _part(bands[-1].highest_pct) + 1) / _PARTS
	lists = tuple(_list_term(rates, first, term, options, scenario) for term in TERMS_MONTHS)
	for number, band in enumerate(bands):
		_require_earning(number, band, lists, options)
	return lists


def _list_term(rates: FloatArray, first: int, term: int, options: OffersOptions, scenario: Scenario) -> PriceList:
	values = value_units(rates, term, scenario)
	surplus = values.paid - options.margin
	risked = values.paid - values.charged_off
	# Where a charge-off costs nothing, a sufficient rate pays for every PD.
	highest_pd = np.divide(surplus, risked, out=np.ones_like(rates), where=risked > 0)
	return PriceList(
		rates_pct=rates,
		highest_pd=np.where(surplus < 0, -1.0, np.minimum(highest_pd, 1)),
		instalment=emi(1.0, rates, term),
		paid=values.paid,
		charged_off=values.charged_off,
		band_ends=np.array([band.up_to_pd for band in options.rate_bands]),
		lowest=np.array([_part(band.lowest_pct) - first for band in options.rate_bands]),
		highest=np.array([_part(band.highest_pct) - first for band in options.rate_bands]),
	)


def _require_earning(number: int, band: RateBand, lists: tuple[PriceList, ...], options: OffersOptions) -> None:
	if any(prices.highest_pd[prices.highest[number]] >= band.above_pd for prices in lists):
		return
	raise InputError(
		f"parameter offers.rate_bands.{number}",
		f"at its highest rate, {band.highest_pct:g}%, no loan of a PD above {band.above_pd:g} "
		f"earns the margin of {options.margin:g} of its principal, so nothing could be offered",
		"Raise highest_pct, lower the margin, or end the bands before it",
	)


def _part(rate_pct: float) -> int:
	return round(rate_pct * _PARTS)
