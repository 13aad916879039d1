"""ISO 15118-20 with somebody else's other side: the PyPI distribution `iso15118` as vehicle and as charger, over a cable of two namespaces.

What it wants beyond the standard, and gets: a TCP port among the dynamic ones, prices with every schedule, PowerToleranceAcceptance in every profile.
What its charger only pretends (the voltage of the precharge) our vehicle takes with `--lax`.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.v2g.cable import Cable, ours, running, theirs

LOOPS = 6


@pytest.mark.xdist_group("v2g")
@pytest.mark.timeout(180)
@pytest.mark.parametrize(
    ("service", "control"),
    [("AC", "scheduled"), ("AC_BPT", "dynamic"), ("DC", "dynamic"), ("DC_BPT", "scheduled"), ("DC", "scheduled"), ("AC", "dynamic")],
)
def test_its_vehicle_charges_at_our_charger(python: Path, link: Cable, tmp_path: Path, service: str, control: str) -> None:
    car = {
        "supportedEnergyServices": [service],
        "useTls": False,
        "supportedProtocols": [f"ISO_15118_20_{service.removesuffix('_BPT')}"],
        "chargeLoopCycle": LOOPS,
        "sdpRetryCycles": 1,
    }
    (tmp_path / "car.json").write_text(json.dumps(car))
    command = ours("secc", "--iface", link.evse_interface, "--control", control, "--patient")
    with running(link.evse, tmp_path / "charger.log", command) as charger:
        charger.until("ready\n")
        words: list[str | Path] = [python, "-m", "iso15118.evcc.main", "car.json"]
        with running(link.ev, tmp_path / "car.log", words, **theirs(python, link.ev_interface)):
            charger.until("session over:")
        text = charger.text()
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    assert f"energy=<Energy.{service}: '{service}'>, control=<Control.{control.upper()}: '{control}'>" in text
    loops = text.count(f"> {service[:2]}_ChargeLoopReq")
    assert loops >= LOOPS
    off, answer = text.index("PowerOff("), text.rindex("< PowerDeliveryRes OK")
    assert off < answer, "the energy is off before the stop is answered"


@pytest.mark.xdist_group("v2g")
@pytest.mark.timeout(180)
@pytest.mark.parametrize("service", ["AC", "AC_BPT", "DC", "DC_BPT"])
def test_our_vehicle_charges_at_its_charger(python: Path, link: Cable, tmp_path: Path, service: str) -> None:
    protocol = service.removesuffix("_BPT")
    environ = theirs(
        python,
        link.evse_interface,
        PROTOCOLS=f"ISO_15118_20_{protocol}",
        AUTH_MODES="EIM",
        SECC_ENFORCE_TLS="False",
        PKI_PATH=str(tmp_path),
    )
    with running(link.evse, tmp_path / "charger.log", [python, "-m", "iso15118.secc.main"], **environ) as charger:
        charger.until("UDP server started")
        command = ours(
            "ev",
            "--iface",
            link.ev_interface,
            "--protocol",
            f"iso20-{protocol.lower()}",
            "--service",
            service,
            "--loops",
            str(LOOPS),
            "--lax",
            "--patient",
        )
        with running(link.ev, tmp_path / "car.log", command) as car:
            code = car.ended()
            text = car.text()
    assert code == 0, text[-3000:]
    assert "session over: terminated, SessionStop" in text
    assert text.count(f"< {protocol}_ChargeLoopRes OK") == LOOPS
