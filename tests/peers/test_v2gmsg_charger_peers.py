"""DIN 70121 and ISO 15118-2: the vehicle of the PyPI distribution `iso15118` at our charger, over a cable of two namespaces."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bench.v2g.cable import Cable, foreign_pki, ours, running, theirs

LOOPS = 6
DIN, ISO2 = "DIN_SPEC_70121", "ISO_15118_2"
NAMESPACES = {DIN: "urn:din:70121:2012:MsgDef", ISO2: "urn:iso:15118:2:2013:MsgDef"}
LOOP = {"DC": "CurrentDemandReq", "AC": "ChargingStatusReq"}
pytestmark = [pytest.mark.peer, pytest.mark.xdist_group("v2g"), pytest.mark.timeout(180)]


def secc(python: Path, link: Cable, folder: Path, car: dict[str, Any], *words: str, **environ: str) -> str:
    """Its vehicle at our charger; gives what the charger printed, and holds that it has charged."""
    settings = {"useTls": False, "chargeLoopCycle": LOOPS, "sdpRetryCycles": 1} | car
    (folder / "car.json").write_text(json.dumps(settings))
    environ = theirs(python, link.ev_interface, **environ)
    with running(link.evse, folder / "charger.log", ours("secc", "--iface", link.evse_interface, *words)) as charger:
        charger.until("ready\n")
        with running(link.ev, folder / "car.log", [python, "-m", "iso15118.evcc.main", "car.json"], **environ):
            charger.until("session over:")
        text = charger.text()
    assert "session over: terminated, SessionStop" in text, text[-3000:]
    off, answer = text.index("PowerOff("), text.rindex("< PowerDeliveryRes OK")
    assert off < answer, "the energy is off before the stop is answered"
    return text


@pytest.mark.parametrize(
    ("protocol", "service", "mode"), [(DIN, "DC", "DC_extended"), (ISO2, "DC", "DC_extended"), (ISO2, "AC", "AC_three_phase_core")]
)
def test_its_vehicle_charges_at_our_charger(python: Path, link: Cable, tmp_path: Path, protocol: str, service: str, mode: str) -> None:
    car = {"supportedEnergyServices": [service], "supportedProtocols": [protocol], "energyTransferMode": mode}
    text = secc(python, link, tmp_path, car)
    assert f"DialectChosen(namespace='{NAMESPACES[protocol]}')" in text
    assert f"energy=<Energy.{service}: '{service}'>" in text
    assert text.count(f"> {LOOP[service]}") >= LOOPS - (protocol == DIN)  # it counts PowerDelivery in there
    assert ("> WeldingDetectionReq" in text) is (service == "DC")


@pytest.mark.parametrize("service", ["DC", "AC"])
def test_over_tls_1_2(python: Path, link: Cable, pki: Path, tmp_path: Path, service: str) -> None:
    """Without its switch for TLS 1.3 it comes as ISO 15118-2 wants it."""
    car = {
        "supportedEnergyServices": [service],
        "supportedProtocols": [ISO2],
        "useTls": True,
        "enforceTls": True,
        "energyTransferMode": "DC_extended" if service == "DC" else "AC_three_phase_core",
    }
    certificates = str(foreign_pki(pki, tmp_path / "theirs"))
    text = secc(python, link, tmp_path, car, "--tls", "any", "--pki", str(pki), PKI_PATH=certificates)
    assert "TLS 1.2, vehicle not verified\n" in text
    assert f"DialectChosen(namespace='{NAMESPACES[ISO2]}')" in text


@pytest.mark.parametrize("order", [(DIN, ISO2), (ISO2, DIN)])
def test_both_protocols_in_either_order(python: Path, link: Cable, tmp_path: Path, order: tuple[str, str]) -> None:
    """Its list loses the order on the way (it makes a set of it): whichever it prefers that time, the charger takes that one."""
    car = {"supportedEnergyServices": ["DC"], "supportedProtocols": order, "energyTransferMode": "DC_extended"}
    text = secc(python, link, tmp_path, car)
    assert any(f"DialectChosen(namespace='{NAMESPACES[each]}')" in text for each in order)


@pytest.mark.parametrize("protocol", [DIN, ISO2])
def test_what_our_charger_does_not_speak(python: Path, link: Cable, tmp_path: Path, protocol: str) -> None:
    other = "iso2-dc" if protocol == DIN else "din"
    car = {"supportedEnergyServices": ["DC"], "supportedProtocols": [protocol], "useTls": False, "sdpRetryCycles": 1}
    (tmp_path / "car.json").write_text(json.dumps(car))
    command = ours("secc", "--iface", link.evse_interface, "--protocols", other)
    with running(link.evse, tmp_path / "charger.log", command) as charger:
        charger.until("ready\n")
        words: list[str | Path] = [python, "-m", "iso15118.evcc.main", "car.json"]
        with running(link.ev, tmp_path / "car.log", words, **theirs(python, link.ev_interface)):
            charger.until("session over: aborted, no protocol in common")
