"""AC: how many phases a vehicle uses, and what it has on them of a power that is of all that there are."""

from __future__ import annotations


def used(asked: int, there: int) -> int:
    """So many phases a vehicle uses that has asked for `asked`: no more than are there, and all of them where it has not said how many (0).

    >>> used(1, 3), used(3, 1), used(0, 3)
    (1, 1, 3)
    """
    return min(asked or there, there)


def share(asked: int, there: int) -> float:
    """What it has on those of the whole. DC has no phases: there the whole is its own.

    >>> share(1, 2), share(3, 1), share(0, 3), share(0, 0)
    (0.5, 1.0, 1.0, 1.0)
    """
    return used(asked, there) / there if there else 1.0
