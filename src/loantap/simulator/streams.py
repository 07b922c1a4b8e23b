"""Named random streams: each column of a simulation draws from a stream of its own."""

from __future__ import annotations

from dataclasses import dataclass
from zlib import crc32

import numpy as np


@dataclass(frozen=True, slots=True)
class Streams:
    """Independent random streams that all hang on one seed.

    The key of a stream is its name, not its place in a list, so adding a column to a simulation
    reshuffles no other. Same seed and name, same numbers.

    Attributes:
        seed: non-negative integer; a negative one raises ValueError when a stream is opened.
    """

    seed: int

    def open(self, name: str) -> np.random.Generator:
        """Return a fresh generator at the start of the stream called `name`.

        Source: child streams by spawn key, NumPy manual, "Parallel random number generation".
        """
        key = (crc32(name.encode()),)
        return np.random.default_rng(np.random.SeedSequence(self.seed, spawn_key=key))
