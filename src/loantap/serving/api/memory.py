"""Memory that a large request took, given back to the machine."""

import ctypes
from collections.abc import Callable


def find_trim() -> Callable[[int], object]:
    """What gives back memory that is free but kept; it does nothing where the C library cannot."""
    found: Callable[[int], object] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found or (lambda kept: kept)


trim = find_trim()
