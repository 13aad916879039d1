"""Memory that only building needed goes back to the system."""

from __future__ import annotations

import ctypes
import gc


def give_back() -> None:
    """Once, after much was built: glibc keeps what was freed for later, and a station that runs for years has no later. Other C libraries have no such call."""
    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim.argtypes = [ctypes.c_size_t]
        trim(0)
