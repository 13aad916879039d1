"""Whole matchings between our two sides, captured: tshark finds every message where it is, and nothing malformed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bench.exi import pcap
from bench.plc.line import Noise
from bench.plc.line import Path as LinePath
from bench.plc.site import Site
from iso15118.slac import mme
from iso15118.slac.modem_table import Kind
from iso15118.slac.signals import Begin, LinkChanged, PilotSeen
from tests.behaviour.slac_rig import site
from tests.peers.tshark import tshark

pytestmark = pytest.mark.peer


def plugged(at: Site) -> Site:
    at.plug("ev0", "evse0")
    return at


def validated() -> Site:
    at = site(
        evses=2,
        ready=False,
        evse={"validation": True},
        paths={("ev0", "evse0"): LinePath(16.0), ("ev0", "evse1"): LinePath(13.0)},
    )
    at.tell("evse1", PilotSeen("B"))
    at.tell("evse1", Begin())
    return plugged(at)


EXCHANGES: dict[str, Callable[[], Site]] = {
    **{kind.value: lambda kind=kind: plugged(site(ready=False, kind=kind)) for kind in Kind},  # type: ignore[misc]
    "amplitude maps": lambda: plugged(site(ready=False, evse={"amplitudes": bytes(917)}, ev={"amplitudes": bytes([3] * 1155)})),
    "validated": validated,
    "repeated": lambda: plugged(site(ready=False, noise=Noise(0.2, 0.3, 0.01, 0.03))),
}


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchange_dissects_without_a_malformed_flag(name: str, tmp_path: Path) -> None:
    at = EXCHANGES[name]()
    assert at.run(30.0, until=lambda: bool(at.told("ev0", LinkChanged) and at.told("evse0", LinkChanged)))
    at.run(1.0)  # maps are the modems' to confirm
    path = at.capture(tmp_path / "exchange.pcap")
    ours = [event for event in pcap.events(path) if event.kind == "slac"]
    named = {event.name for event in ours}
    assert {"CM_SLAC_PARM.REQ", "CM_MNBC_SOUND.IND", "CM_ATTEN_PROFILE.IND", "CM_SLAC_MATCH.CNF"} <= named
    assert ("CM_VALIDATE.REQ" in named) is (name == "validated")
    assert ("CM_AMP_MAP.CNF" in named) is (name == "amplitude maps")
    assert len(tshark(path, "-Y", "homeplug-av").splitlines()) == len(ours)
    assert tshark(path, "-Y", "_ws.malformed || _ws.expert", "-T", "fields", "-e", "frame.number") == ""
    keys = tshark(path, "-Y", "homeplug_av.mmhdr.mmtype == 0x607d", "-T", "fields", "-e", "frame.number")
    assert len(keys.splitlines()) == sum(isinstance(frame.mme, mme.SlacMatchCnf) for _, frame in at.sent("evse0"))
