"""Memory of what is loaded is never searched for garbage; that of a batch is given back."""

import ctypes
import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def loading() -> Iterator[None]:
    """What is loaded within stays: it is never searched for garbage, neither now nor later.

    Searching takes a fifth of the start, and processes that part later would no longer share the
    memory that was searched.
    """
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()


def find_trim() -> Callable[[int], object]:
    """What gives back memory that is free but kept; it does nothing where the C library cannot."""
    found: Callable[[int], object] | None = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return found or (lambda kept: kept)


trim = find_trim()
