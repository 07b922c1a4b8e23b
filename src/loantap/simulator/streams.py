"""Named random streams: each column of a simulation draws from a stream of its own."""

from dataclasses import dataclass, field
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
    _opened: dict[str, np.random.Generator] = field(default_factory=dict, compare=False)

    def open(self, name: str) -> np.random.Generator:
        """The generator of the stream called `name`: at its start, or where it was left.

        What is drawn in batches is what would have been drawn at once.

        Source: child streams by spawn key, NumPy manual, "Parallel random number generation".
        """
        if name not in self._opened:
            key = (crc32(name.encode()),)
            sequence = np.random.SeedSequence(self.seed, spawn_key=key)
            self._opened[name] = np.random.default_rng(sequence)
        return self._opened[name]
