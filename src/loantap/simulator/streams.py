"""Named random streams: each column of a simulation draws from a stream of its own."""

from dataclasses import dataclass, field
from zlib import crc32

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from loantap.portfolio.arrays import FloatArray, IntArray

# SplitMix64, which turns a counter into 64 well mixed bits.
_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIXES = ((np.uint64(30), np.uint64(0xBF58476D1CE4E5B9)), (np.uint64(27), np.uint64(0x94D049BB133111EB)))
_LAST_SHIFT, _UNUSED_BITS = np.uint64(31), np.uint64(11)


@dataclass(frozen=True, slots=True)
class Streams:
	"""Independent random streams that all hang on one seed.

	The key of a stream is its name, so another column reshuffles none.

	Attributes:
		seed: non-negative, or `open` raises ValueError.
		family: goes before each name; two families of streams share none.
	"""

	seed: int
	family: str = ""
	_opened: dict[str, np.random.Generator] = field(default_factory=dict, compare=False)

	def open(self, name: str) -> np.random.Generator:
		"""The stream called `name`: at its start, or where it was left.

		Source: child streams by spawn key, NumPy manual, "Parallel random number generation".
		"""
		if name not in self._opened:
			key = (crc32(f"{self.family}{name}".encode()),)
			sequence = np.random.SeedSequence(self.seed, spawn_key=key)
			self._opened[name] = np.random.default_rng(sequence)
		return self._opened[name]


def normal_at(seed: int, name: str, keys: npt.NDArray[np.uint64], months: IntArray) -> FloatArray:
	"""A standard normal number for each key and month, the same whatever else is drawn.

	From a stream it would depend on the loans before, and the past would change with the snapshot. `keys` are 64 bits
	that tell loans apart, `months` counted from issue, one value per row.

	Source: Steele, Lea, Flood (2014), "Fast splittable pseudorandom number generators".
	"""
	start = np.random.SeedSequence(seed, spawn_key=(crc32(name.encode()),)).generate_state(1, np.uint64)
	bits = _mix(keys ^ start[0])
	bits = _mix(bits + months.astype(np.uint64) * _STEP)
	# The middle of one of 2^53 steps of 0..1: never an end, whose score is infinite.
	return np.asarray(ndtri(((bits >> _UNUSED_BITS).astype(float) + 0.5) / 2.0**53))


def _mix(bits: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
	mixed = bits
	for shift, factor in _MIXES:
		mixed = (mixed ^ (mixed >> shift)) * factor
	return mixed ^ (mixed >> _LAST_SHIFT)
