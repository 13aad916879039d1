"""What the words of `terms` are made with."""

from __future__ import annotations

import enum


class Progress(enum.Enum):
    """Something that the hardware or somebody else does, and that takes time."""

    NOT_ASKED = "not asked"
    UNDER_WAY = "under way"
    DONE = "done"
    FAILED = "failed"


class Told:
    """Said by the vehicle, or following from what it said."""

    __slots__ = ()
