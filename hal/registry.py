"""Which drivers there are. A driver is a module with a frozen dataclass `Options` and `make(options, evse_ids) -> Board`.

Ours stand below; a distribution of somebody else adds its own by an entry point of the group `chargepoint.drivers`, whose value is such a
module. Nothing is imported before it is asked for.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from hal import options
from hal.errors import OptionError
from hal.ports import Board

GROUP = "chargepoint.drivers"


class UnknownDriver(LookupError):
    """There is no driver of this name; the message names the nearest, or all."""


class BrokenDriver(UnknownDriver):
    """A driver's module cannot be imported, or is none; the message says what is missing."""


@dataclass(frozen=True, slots=True)
class Driver:
    """Where a driver is, and what it needs besides."""

    name: str
    module: str
    extra: str = ""
    """The extra of this distribution that brings what it imports."""

    def load(self) -> Any:
        """Its module. Raises BrokenDriver."""
        try:
            module = import_module(self.module)
        except ImportError as error:
            remedy = f"; pip install 'chargepoint[{self.extra}]'" if self.extra else ""
            raise BrokenDriver(f"driver {self.name!r}: {error}{remedy}") from error
        lacking = [part for part in ("Options", "make") if not hasattr(module, part)]
        if lacking:
            raise BrokenDriver(f"driver {self.name!r}: {self.module} has no {' and no '.join(lacking)}")
        return module


OURS = (Driver("sim", "hal.sim.driver"), Driver("openevse", "hal.drivers.openevse", "serial"))


def drivers() -> dict[str, Driver]:
    """All, by name; ours win over somebody else's of the same name."""
    others = {each.name: Driver(each.name, each.value) for each in entry_points(group=GROUP)}
    return {**others, **{each.name: each for each in OURS}}


def find(name: str) -> Driver:
    """The driver of this name. Raises UnknownDriver. For one of ours nobody looks through what is installed, which takes its time at every start."""
    ours = {each.name: each for each in OURS}
    known = ours if name in ours else drivers()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        raise UnknownDriver(f"no driver {name!r}; " + (f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}"))
    return known[name]


def create(name: str, given: Mapping[str, Any], evse_ids: Sequence[int] = (1,)) -> Board:
    """A board that is not started yet, in the running event loop. Raises UnknownDriver, BrokenDriver, OptionError."""
    module = find(name).load()
    try:
        board: Board = module.make(options.read(module.Options, given), tuple(evse_ids))
    except OptionError as error:
        raise OptionError(f"board_options of {name!r}: {error}") from None
    return board
