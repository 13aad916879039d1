"""Drivers by name, and options that say what is wrong with them."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from types import ModuleType
from typing import Annotated, Any, Literal

import pytest

from chargepoint.runtime.virtual import run_virtual
from hal import registry
from hal.errors import OptionError
from hal.options import Range, Text, read
from hal.ports import Board
from hal.registry import BrokenDriver, Driver, UnknownDriver, create, drivers, find


@dataclass(frozen=True)
class Sensor:
    pin: Annotated[int, Range(0, 40)]


@dataclass(frozen=True)
class Options:
    port: Annotated[str, Text(20, r"/dev/.+")]
    baud: Annotated[int, Range(9600, 921600)] = 115200
    factor: float = 1.0
    parity: Literal["none", "even"] = "none"
    fast: bool = False
    sensors: tuple[Sensor, ...] = ()
    meter: Annotated[int, Range(1, 247)] | None = None


GOOD: list[tuple[dict[str, Any], Options]] = [
    ({"port": "/dev/x"}, Options("/dev/x")),
    ({"port": "/dev/x", "factor": 2}, Options("/dev/x", factor=2.0)),
    ({"port": "/dev/x", "sensors": [{"pin": 3}]}, Options("/dev/x", sensors=(Sensor(3),))),
    ({"port": "/dev/x", "meter": 247, "parity": "even", "fast": True}, Options("/dev/x", parity="even", fast=True, meter=247)),
    ({"port": "/dev/x", "meter": None}, Options("/dev/x")),
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "port: missing; a text of 0 to 20 characters that matches /dev/.+"),
    ({"prot": "/dev/x"}, "prot: no such key; did you mean port?"),
    ({"zzz": 1}, "zzz: no such key; there are baud, factor, fast, meter, parity, port, sensors"),
    ({"port": "COM1"}, "port = 'COM1': a text of 0 to 20 characters that matches /dev/.+"),
    ({"port": "/dev/" + "x" * 20}, "port = '/dev/xxxxxxxxxxxxxxxxxxxx': a text of 0 to 20 characters that matches /dev/.+"),
    ({"port": 7}, "port = 7: a text"),
    ({"port": "/dev/x", "baud": 300}, "baud = 300: from 9600 to 921600"),
    ({"port": "/dev/x", "baud": 9600.0}, "baud = 9600.0: a whole number"),
    ({"port": "/dev/x", "baud": True}, "baud = True: a whole number"),
    ({"port": "/dev/x", "factor": float("nan")}, "factor = nan: a number"),
    ({"port": "/dev/x", "parity": "odd"}, "parity = 'odd': one of 'none', 'even'"),
    ({"port": "/dev/x", "fast": 1}, "fast = 1: true or false"),
    ({"port": "/dev/x", "sensors": {"pin": 3}}, "sensors = {'pin': 3}: a list, each a table"),
    ({"port": "/dev/x", "sensors": [{"pin": 3}, {"pin": 41}]}, "sensors[1].pin = 41: from 0 to 40"),
    ({"port": "/dev/x", "sensors": [3]}, "sensors[0] = 3: a table"),
    ({"port": "/dev/x", "meter": 0}, "meter = 0: from 1 to 247 or nothing"),
]


@pytest.mark.parametrize(("given", "expected"), GOOD)
def test_options_are_read(given: dict[str, Any], expected: Options) -> None:
    assert read(Options, given) == expected


@pytest.mark.parametrize(("given", "message"), BAD)
def test_options_say_what_is_wrong(given: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError) as caught:
        read(Options, given)
    assert str(caught.value) == message


def test_the_simulated_board_by_name() -> None:
    async def made() -> Board:
        return create("sim", {"phases": 1, "connector": "sType2", "max_current_A": 20}, [1, 2])

    board = run_virtual(made())
    assert [(evse.evse_id, evse.phases, evse.max_current_A, evse.has_lock) for evse in board.info.evses] == [
        (1, 1, 20.0, True),
        (2, 1, 20.0, True),
    ]


def test_names_that_are_near() -> None:
    with pytest.raises(UnknownDriver, match=r"no driver 'simm'; did you mean 'sim'\?"):
        find("simm")
    with pytest.raises(UnknownDriver, match=r"there are .*sim"):
        find("no such thing at all")
    with pytest.raises(OptionError, match=r"^board_options of 'sim': phases = 2: one of 1, 3$"):
        create("sim", {"phases": 2})


def test_all_of_ours_can_be_imported() -> None:
    for driver in registry.OURS:
        assert driver.load().Options


def test_third_parties_register_by_entry_point(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("somebodys_driver")
    monkeypatch.setitem(sys.modules, "somebodys_driver", module)
    found = [EntryPoint("theirs", "somebodys_driver", registry.GROUP), EntryPoint("sim", "somebodys_driver", registry.GROUP)]
    monkeypatch.setattr(registry, "entry_points", lambda group: found)
    assert drivers()["sim"].module == "hal.sim.driver"
    with pytest.raises(BrokenDriver, match="has no Options and no make"):
        create("theirs", {})
    module.Options, module.make = Sensor, lambda options, evse_ids: (options, evse_ids)  # type: ignore[attr-defined] # as a module has them
    made: object = create("theirs", {"pin": 3})
    assert made == (Sensor(3), (1,))


def test_what_is_not_installed_names_the_remedy() -> None:
    with pytest.raises(BrokenDriver, match=r"pip install 'chargepoint\[serial\]'"):
        Driver("gone", "hal.no_such_module", "serial").load()
