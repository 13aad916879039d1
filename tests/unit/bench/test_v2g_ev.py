"""What `chargepoint ev` and `secc` speak, as the command line says it, and what cannot be."""

from __future__ import annotations

import asyncio
import io
import os
import signal
from typing import Any

import pytest

from bench.cli import main
from bench.exi.given import InputError
from bench.v2g import secc
from bench.v2g.ev import Options, protocols, vehicle_for
from chargepoint.runtime.clock import SystemClock
from iso15118.terms import Energy


@pytest.mark.parametrize(
    ("words", "service", "tls", "names"),
    [
        ("any", "DC", "none", ("iso20-dc", "iso2-dc", "din")),
        ("any", "DC", "1.3", ("iso20-dc", "iso2-dc")),
        ("any", "AC", "none", ("iso20-ac", "iso2-ac")),
        ("any", "DC_BPT", "none", ("iso20-dc",)),
        ("any", "DC_BPT,AC", "none", ("iso20-dc", "iso20-ac", "iso2-ac")),
        ("din,iso2-dc,din", "DC", "none", ("din", "iso2-dc")),
        ("DIN_SPEC_70121,ISO_15118_20_DC", "DC", "none", ("din", "iso20-dc")),
        ("iso2", "AC", "none", ("iso2-ac",)),
        ("ISO_15118_2", "DC", "1.2", ("iso2-dc",)),
        ("urn:din:70121:2012:MsgDef", "DC", "none", ("din",)),
    ],
)
def test_protocols(words: str, service: str, tls: str, names: tuple[str, ...]) -> None:
    options = Options("lo", protocol=words, service=service, tls=tls)
    assert protocols(options) == names
    assert vehicle_for(options).wants.protocols == names


@pytest.mark.parametrize(("spec", "phases"), [("compact", 3), ("city", 1)])
def test_which_car_it_is(spec: str, phases: int) -> None:
    vehicle = vehicle_for(Options("lo", service="AC", spec=spec))
    assert (vehicle.spec.name, vehicle.wants.phases) == (spec, phases)


@pytest.mark.parametrize("words", ["iso20-wpt", "ocpp", "din,", "xmldsig"])
def test_no_such_protocol(words: str) -> None:
    with pytest.raises(InputError, match=r"no such protocol; there are iso20-dc, iso20-ac, iso2-dc, iso2-ac, din, iso2$"):
        protocols(Options("lo", protocol=words))


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"protocol": "din", "service": "AC"}, "--service AC: not by --protocol din, which has DC$"),
        ({"protocol": "iso2-dc", "service": "DC_BPT"}, "--service DC_BPT: not by --protocol iso2-dc, which has DC$"),
        ({"protocol": "iso20-dc,iso2-ac"}, "--service DC: not by --protocol iso2-ac, which has AC$"),
        ({"protocol": "din", "service": "wpt"}, "--service wpt: not by --protocol din"),
        ({"protocol": "iso2-dc", "control": "dynamic"}, "--control dynamic: iso2-dc: scheduled is the only control there"),
        ({"protocol": "din", "auth": "pnc"}, "--auth pnc: no way to pay in common: din takes no contracts"),
    ],
)
def test_a_vehicle_that_cannot_be(words: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        vehicle_for(Options("lo", **words))


@pytest.mark.parametrize(
    "words",
    [
        {"protocol": "iso2-dc", "control": "scheduled,dynamic"},
        {"protocol": "iso20-dc,iso2-dc", "control": "dynamic"},
        {"protocol": "iso20-ac", "service": "ac-der-iec"},
        {"protocol": "din,iso20-ac", "service": "DC,AC"},
    ],
)
def test_a_vehicle_that_can_be(words: dict[str, Any]) -> None:
    options = Options("lo", **words)
    assert vehicle_for(options).wants.protocols == tuple(words["protocol"].split(","))


def charger(**words: Any) -> list[Energy]:
    """What it offers."""

    async def made() -> secc.Bench:
        return secc.Bench(secc.Options("lo", **words), SystemClock(), io.StringIO())

    return [each.energy for each in asyncio.run(made()).energies]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ({"protocols": "iso2-dc", "services": "AC"}, "--services AC: not by --protocols iso2-dc; there is iso2-dc DC$"),
        ({"protocols": "iso2-dc", "services": "DC,wpt"}, "--services WPT: not by --protocols iso2-dc; there is iso2-dc DC$"),
        (
            {"protocols": "din,iso2-ac", "services": "AC_BPT"},
            "--services AC_BPT: not by --protocols din, iso2-ac; there is din DC, iso2-ac AC$",
        ),
        ({"protocols": "iso2", "control": "dynamic"}, "--control dynamic: iso2-dc, iso2-ac: scheduled"),
        ({"protocols": "din", "auth": "pnc"}, "--auth pnc: no way to pay in common"),
    ],
)
def test_a_charger_that_cannot_be(words: dict[str, Any], why: str) -> None:
    with pytest.raises(InputError, match=why):
        charger(**words)


@pytest.mark.parametrize(
    ("words", "energies"),
    [
        ({"protocols": "iso2,din", "services": "AC,AC_BPT,DC,DC_BPT"}, [Energy.AC, Energy.DC]),
        ({"protocols": "iso20-dc", "services": "DC,wpt"}, [Energy.DC, Energy.WPT]),
        ({"services": "wpt"}, [Energy.WPT]),
    ],
)
def test_a_charger_that_can_be(words: dict[str, str], energies: list[Energy]) -> None:
    assert charger(**words) == energies


@pytest.mark.parametrize("command", ["ev", "secc"])
def test_both_say_that_they_take_iso2(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert "iso2: " in capsys.readouterr().out


def test_a_second_signal_finds_nobody_who_could_be_told() -> None:
    """While the loop closes."""
    found = []

    async def story() -> None:
        waits = asyncio.Event()

        class Out(io.StringIO):
            def write(self, text: str) -> int:
                if "waiting" in text:
                    waits.set()
                return super().write(text)

        serving = asyncio.ensure_future(secc.serve(secc.Options("nowhere", protocols="din"), Out()))
        async with asyncio.timeout(10.0):
            await waits.wait()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
        found.append(signal.getsignal(signal.SIGTERM))

    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    asyncio.run(story())
    assert found == [signal.SIG_IGN]
    assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before
