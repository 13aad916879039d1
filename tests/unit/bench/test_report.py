"""`chargepoint report`: what a journal tells of sessions with vehicles, as pictures."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench.cli import main
from bench.heap import info_of
from bench.report.collect import SessionReport, sessions_of
from bench.report.draw import svg
from bench.report.page import page
from chargepoint import journal
from chargepoint.commands import Command
from chargepoint.journal import Entry, Head
from chargepoint.journal_export import redacted
from chargepoint.tick import Tick
from iso15118.terms import Control, Energy
from tests.behaviour.hlc_rig import HlcSite

SVG = "{http://www.w3.org/2000/svg}"


def recorded(mode: str, energy: Energy, speech: str = "") -> tuple[HlcSite, list[str]]:
    """A charge with a limit in its middle, and its journal."""
    site = HlcSite(mode, tls="optional") if speech else HlcSite(mode)
    station, before = site.heap.station, site.heap.watch
    assert station is not None
    assert before is not None
    lines = [journal.head_line(Head("", site.heap.config, info_of(site.heap.world), station.snapshot()))]

    def watch(tick: Tick, event: object, commands: Sequence[Command]) -> None:
        before(tick, event, tuple(commands))
        lines.append(journal.entry_line(Entry(tick, event, tuple(commands))))

    site.heap.watch = watch
    vehicle = site.vehicle(energy, Control.SCHEDULED, soc=79.4)
    vehicle.wants.protocols = (speech,) if speech else ()
    ev = site.charge(vehicle)
    site.run(3.0)
    site.limit(watts=5_000.0)
    site.run(10.0)
    site.limit()
    site.until(lambda: ev.over is not None, most_s=600.0)
    site.run(4.0)
    return site, lines


@pytest.fixture(scope="module")
def dc() -> tuple[HlcSite, list[str]]:
    return recorded("dc", Energy.DC)


def session(lines: list[str]) -> SessionReport:
    (found,) = sessions_of(journal.read(iter(lines)))
    return found


def test_what_was_said_and_what_stood_at_the_output(dc: tuple[HlcSite, list[str]]) -> None:
    site, lines = dc
    found = session(lines)
    assert site.ev is not None
    said = [(each.who, each.name) for each in found.messages]
    assert said == [(who, type(message).__name__) for _, who, message in site.ev.messages]
    assert found.dc
    assert found.energy_Wh == pytest.approx(site.sim.register.import_Wh, rel=0.03)
    assert max(volts for _, volts in found.voltage_V) == pytest.approx(420.0, abs=1.0)
    assert {round(soc) for _, soc in found.soc} == {79, 80}
    marks = [words for _, words in found.marks]
    assert marks.index("contactor closes") < marks.index("output off") < marks.index("contactor opens")


def test_the_picture_is_drawn_from_it(dc: tuple[HlcSite, list[str]]) -> None:
    root = ET.fromstring(svg(session(dc[1])))
    lines = {each.get("class"): each.get("d") for each in root.iter(f"{SVG}path")}
    assert set(lines) == {"v", "a", "o", "s"}
    texts = [each.text for each in root.iter(f"{SVG}text")]
    for wanted in ("Voltage [V]", "Current [A]", "State of charge [%]", "Messages", "EV", "EVSE"):
        assert wanted in texts
    assert any(each.get("class") == "loop" for each in root.iter(f"{SVG}rect"))
    assert all(float(y) >= 0 for d in lines.values() if d for y in (point.split(",")[1] for point in d[1:].replace("L", " ").split()))


@pytest.mark.parametrize(("speech", "mode"), [("din", "dc"), ("iso2-dc", "dc"), ("iso2-ac", "ac")])
def test_older_protocols_are_read_as_well(speech: str, mode: str) -> None:
    site, lines = recorded(mode, Energy(mode.upper()), speech)
    found = session(lines)
    assert site.ev is not None
    bodies = [(who, getattr(getattr(message, "Body", None), "BodyElement", message)) for _, who, message in site.ev.messages]
    assert [(each.who, each.name) for each in found.messages] == [(who, type(body).__name__) for who, body in bodies]
    assert {round(soc) for _, soc in found.soc} == ({79, 80} if mode == "dc" else set())
    words = [each.words for each in found.messages if each.name in ("PowerDeliveryReq", "SessionStopReq")]
    assert (words[0], words[-1]) == ("Start", "" if speech == "din" else "Terminate")
    loops = [each for each in ET.fromstring(svg(found)).iter(f"{SVG}rect") if each.get("class") == "loop"]
    assert len(loops) >= 1


def test_ac_shows_power() -> None:
    _, lines = recorded("ac", Energy.AC)
    found = session(lines)
    assert not found.dc
    assert max(watts for _, watts in found.power_W) == pytest.approx(11_000.0, rel=0.01)
    assert 'class="p"' in svg(found)


def test_the_command_writes_a_page(dc: tuple[HlcSite, list[str]], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "00000001.jsonl"
    file.write_text("\n".join(dc[1]) + "\n", "ascii")
    assert main(["report", str(file), str(tmp_path / "out")]) == 0
    assert "session-001.svg: EVSE 1, DC, TLSv1.3" in capsys.readouterr().out
    ET.fromstring((tmp_path / "out" / "session-001.svg").read_text("utf-8"))
    html = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "DC_ChargeLoopReq ×" in html


def test_a_journal_without_sessions(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert "holds none" in page([])
    file = tmp_path / "empty.jsonl"
    file.write_text("", "ascii")
    assert main(["report", str(file), str(tmp_path / "out")]) == 0
    assert "no session" in capsys.readouterr().out


def test_an_exported_journal_draws_as_well_and_does_not_hold_the_evccid(dc: tuple[HlcSite, list[str]]) -> None:
    site, lines = dc
    assert site.ev is not None
    evcc_id = site.ev.vehicle.wants.evcc_id
    said = "".join(each.split('"octets":"')[1].split('"')[0] for each in lines if '"octets":"' in each)
    exported = list(redacted(lines, b"salt"))
    assert evcc_id not in "\n".join(exported)
    kept = "".join(each.split('"octets":"')[1].split('"')[0] for each in exported if '"octets":"' in each)
    assert 0 < len(kept) < len(said)
    names = [each.name for each in session(exported).messages]
    assert "SessionSetupReq" not in names
    assert names.count("DC_ChargeLoopReq") == [each.name for each in session(lines).messages].count("DC_ChargeLoopReq")
