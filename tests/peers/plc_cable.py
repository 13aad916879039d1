"""A cable over the simulated power line, and what runs at its ends."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, NoNamespaces, Running, ours, ours_from, power_line, running
from bench.v2g.slac import VehicleMatching

LINKED = "THE LINK IS UP"


@contextmanager
def plc(folder: Path, *words: str) -> Iterator[tuple[Cable, Running]]:
    """Both ends, and the line; `words` say what that is like."""
    try:
        with power_line(20_000 + os.getpid() % 10_000, folder / "line.log", *words) as made:
            yield made
    except NoNamespaces as error:
        pytest.skip(str(error))


@contextmanager
def charger(link: Cable, folder: Path, *words: str) -> Iterator[Running]:
    """`chargepoint secc --slac`, with a key for the first vehicle."""
    with running(link.evse, folder / "charger.log", ours("secc", "--iface", link.evse_interface, "--slac", *words)) as process:
        process.until("ready\n")
        yield process
        assert process.process.poll() is None, process.text()[-3000:]
        assert "Traceback" not in process.text(), process.text()[-3000:]


@contextmanager
def vehicle(link: Cable, folder: Path, *words: str, name: str = "car") -> Iterator[Running]:
    """`chargepoint ev --slac`."""
    with running(link.ev, folder / f"{name}.log", ours("ev", "--iface", link.ev_interface, "--slac", *words)) as process:
        yield process


@contextmanager
def holder(link: Cable, folder: Path) -> Iterator[Running]:
    """A vehicle that matches, and says nothing then."""
    with running(link.ev, folder / "holder.log", [*ours_from("tests.peers.plc_cable"), link.ev_interface]) as process:
        process.until(LINKED)
        yield process


def main(arguments: list[str]) -> int:
    """Match, and stay."""

    async def stay() -> None:
        await VehicleMatching(arguments[0], print).match()
        print(LINKED, flush=True)
        await asyncio.Event().wait()

    asyncio.run(stay())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
