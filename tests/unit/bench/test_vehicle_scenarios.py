"""Scenario files, and the diagrams of what came of them."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from bench.cli import main
from bench.v2g import diagram
from bench.v2g.scenario import FOLDER, WISHES, Scenario, ScenarioError, read, run
from iso15118.evcc.din import spelling as evcc_din
from iso15118.evcc.iso2 import spelling as evcc_iso2
from iso15118.evcc.terms import Authorized, ContractInstalled, EvWish
from iso15118.secc.din import spelling as secc_din
from iso15118.secc.iso2 import spelling as secc_iso2
from iso15118.terms import Control, Energy, Payment, Wish

FILES = sorted(FOLDER.glob("*.toml"))


def test_there_are_scenarios() -> None:
    assert len(FILES) >= 9


@pytest.mark.parametrize("path", FILES, ids=[each.stem for each in FILES])
def test_every_scenario_ends_as_it_says(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 14
    played = run(read(text))
    assert played.right, played.ends
    lines = diagram.lines(played.pair)
    assert 10 < len(lines) < 120, "what repeats itself is folded"
    assert sum(each.times for each in lines) == sum(diagram._line(*each) is not None for each in played.pair.moments)
    drawn = ET.fromstring(diagram.svg(played.pair, "a < b"))
    assert drawn.tag.endswith("svg")


def test_who_pays_by_contract() -> None:
    played = run(
        read('words = "w"\ncontracts = ["DETSTC00000001", "DETSTC00000002"]\npays = ["DETSTC00000002"]\nkeys = "ed448"\nloops = 3')
    )
    assert [told for told in played.pair.story if isinstance(told[1], Authorized)] == [("ev", Authorized(Payment.PNC, "DETSTC00000002"))]
    played = run(read('words = "w"\ninstalls = ["DETSTC00000001", "DETSTC00000002"]\nloops = 3'))
    assert sum(isinstance(told, ContractInstalled) for _, told in played.pair.story) == 2


def test_a_file_is_read() -> None:
    scenario = read(
        'words = "w"\nservice = "AC_BPT"\ncontrol = "scheduled"\nends = ["paused"]\n[[then]]\nafter_loops = 3\nvehicle = "pause"\n'
    )
    assert (scenario.service, scenario.control, scenario.ends) == (Energy.AC_BPT, Control.SCHEDULED, ("paused",))
    assert (scenario.then[0].after_loops, scenario.then[0].vehicle) == (3, EvWish.PAUSE)
    assert read('words = "w"') == Scenario("w")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("words = ", "Invalid value"),
        ("", "words"),
        ('words = "w"\ncolour = "red"', "colour: no such key"),
        ('words = "w"\nservice = "STEAM"', "STEAM"),
        ('words = "w"\nvehicle = "bus"', "vehicle: 'bus' is not one of: compact, truck"),
        ('words = "w"\nmisbehaves = "rude"', "misbehaves: 'rude' is not one of: honest"),
        ('words = "w"\ncontrol = "x"', "control: 'x' is not one of: scheduled, dynamic"),
        ('words = "w"\nservice = 3', "service: 3 is not one of: AC, DC, AC_BPT, DC_BPT"),
        ('words = "w"\nloops = -5', "loops: -5 is not a whole number from 1 to"),
        ('words = "w"\nloops = 1.5', "loops: 1.5 is not a whole number"),
        ('words = "w"\nsoc = nan', "soc: nan is not a number from 0 to 100"),
        ('words = "w"\nsoc = "full"', "soc: 'full' is not a number"),
        ('words = "w"\nseed = true', "seed: True is not a whole number"),
        ('words = "w"\ngive = 1', "give: 1 is not true or false"),
        ("words = 3", "words: 3 is not a text"),
        ("loops = 3", "words is needed"),
        ('words = "w"\nends = "paused"', "ends: 'paused' is not a list of terminated, paused, aborted"),
        ('words = "w"\nends = []', "ends: .. is not a list of"),
        ('words = "w"\nends = ["paused", "well"]', r"ends.1.: 'well' is not one of: terminated, paused, aborted"),
        ('words = "w"\nthen = "stop"', "then: a list of tables"),
        ('words = "w"\n[[then]]\nafter_s = -1\nvehicle = "stop"', r"then.0..after_s: -1 is not a number from 0"),
        ('words = "w"\n[[then]]\nvehicle = "stop"', "one of them"),
        ('words = "w"\n[[then]]\nat = "CableCheckReq"\nafter_s = 1', "then.0..after_loops, then.0..after_s or then.0..at, one of them"),
        ('words = "w"\nprotocols = ["din", "iso2"]', "protocols.1.: 'iso2' is not one of: iso20-dc, iso20-ac, iso2-dc, iso2-ac, din"),
        ('words = "w"\noffers = "din"', "offers: 'din' is not a list of texts"),
        ('words = "w"\n[[then]]\nafter_s = 1\nafter_loops = 1', "one of them"),
        ('words = "w"\n[[then]]\nafter_s = 1\nvehicle = "dance"', r"then.0..vehicle: 'dance' is not one of: stop, pause"),
        ('words = "w"\n[[then]]\nafter_s = 1\ncharger = "stop"\ncolour = 1', "colour: no such key"),
        ('words = "w"\nservice = "AC"\nprotocols = ["din"]', "protocols.0.: din has DC; service is AC$"),
        ('words = "w"\nprotocols = ["iso2-ac"]', "protocols.0.: iso2-ac has AC; service is DC where nothing is said"),
        ('words = "w"\nservice = "DC_BPT"\nprotocols = ["iso20-dc", "iso2-dc"]', "protocols.1.: iso2-dc has DC; service is DC_BPT"),
        ('words = "w"\nservice = "WPT"\nprotocols = ["iso20-ac"]', "protocols.0.: iso20-ac has AC, AC_BPT; service is WPT"),
        ('words = "w"\nservice = "WPT"\noffers = ["iso20-ac"]', "offers: none of iso20-dc, .* has service WPT"),
        ('words = "w"\nprotocols = ["din"]\ncontracts = ["DETSTC00000001"]', "contracts: din takes no contracts"),
        ('words = "w"\nprotocols = ["din"]\ninstalls = ["DETSTC00000001"]', "installs: din takes no contracts"),
        ('words = "w"\nupdates = true\ncontracts = ["DETSTC00000001"]', "updates: iso20-dc knows nothing of it"),
        ('words = "w"\nbare_stop = true', "bare_stop: iso20-dc knows nothing of it"),
        ('words = "w"\nprotocols = ["iso2-dc"]\nkeys = "ed448"', "keys: iso2-dc knows nothing of it"),
        ('words = "w"\nprotocols = ["iso2-dc"]\nother_schedules_aside = true', "other_schedules_aside: iso2-dc knows nothing of it"),
        ('words = "w"\nprotocols = ["din"]\ncontrol = "dynamic"', "control: din has scheduled alone"),
        ('words = "w"\ngive = true', "give: with service DC nothing is given back; there are AC_BPT, DC_BPT"),
        ('words = "w"\nmisbehaves = "iso2_replayed_challenge"', "misbehaves: iso2_replayed_challenge is not of iso20-dc"),
        ('words = "w"\nprotocols = ["iso2-dc"]\nmisbehaves = "replayed_challenge"', "misbehaves: replayed_challenge is not of iso2-dc"),
        ('words = "w"\nprotocols = ["din"]\n[[then]]\nafter_s = 1\nvehicle = "pause"', "then.0..vehicle: din has no 'pause'; it has stop"),
        (
            'words = "w"\nprotocols = ["din", "iso2-dc"]\n[[then]]\nafter_s = 1\nvehicle = "renegotiate schedule"',
            "then.0..vehicle: din has no 'renegotiate schedule'",
        ),
        (
            'words = "w"\nprotocols = ["iso2-dc"]\n[[then]]\nafter_s = 1\nvehicle = "standby"',
            "then.0..vehicle: iso2-dc has no 'standby'; it has pause, renegotiate schedule, stop",
        ),
        (
            'words = "w"\nprotocols = ["din"]\n[[then]]\nafter_s = 1\ncharger = "renegotiate schedule"',
            "then.0..charger: din has no 'renegot",
        ),
        ('words = "w"\nprotocols = ["iso2-dc"]\n[[then]]\nafter_s = 1\ncharger = "exit standby"', "charger: iso2-dc has no 'exit standby'"),
        (
            'words = "w"\nprotocols = ["iso2-dc", "din"]\noffers = ["din"]\n[[then]]\nafter_s = 1\nvehicle = "pause"',
            "then.0..vehicle: din has no 'pause'",
        ),
    ],
)
def test_a_file_that_says_nothing(text: str, why: str) -> None:
    with pytest.raises(ScenarioError, match=why):
        read(text)


@pytest.mark.parametrize(
    "text",
    [
        'words = "w"\nprotocols = ["din", "iso2-dc"]\noffers = ["iso2-dc"]\n[[then]]\nafter_s = 1\nvehicle = "pause"',
        'words = "w"\nprotocols = ["iso20-dc", "iso2-dc"]\ncontrol = "dynamic"',
        'words = "w"\nprotocols = ["iso2-dc"]\noffers = ["din"]\n[[then]]\nafter_s = 1\nvehicle = "standby"',
        'words = "w"\nprotocols = ["iso2-dc"]\ncontracts = ["DETSTC00000001"]\nupdates = true\nbare_stop = true',
        'words = "w"\nprotocols = ["din"]\n[[then]]\nafter_s = 1\ncharger = "pause"',
    ],
)
def test_what_can_be_is_read(text: str) -> None:
    assert read(text).words == "w"


def test_a_charger_offers_what_is_said_also_to_a_vehicle_that_says_nothing() -> None:
    played = run(read('words = "w"\noffers = ["din"]\nends = ["aborted"]\nmost_s = 100'))
    assert "DC_ChargeLoopReq" not in {type(message).__name__ for _, _, message in played.pair.messages}


@pytest.mark.parametrize("name", ["din", "iso2"])
def test_wishes_are_those_that_its_protocol_has_a_word_for(name: str) -> None:
    """The table of scenarios beside what sessions say and do."""
    spelling = {"din": (secc_din, evcc_din), "iso2": (secc_iso2, evcc_iso2)}[name]
    vehicles, chargers = WISHES[name]
    assert (EvWish.PAUSE in vehicles, EvWish.RENEGOTIATE_SCHEDULE in vehicles) == (spelling[1].SPELLING.pausing,) * 2
    assert chargers - {Wish.CONFIRM_METERING} == set(spelling[0].SPELLING.wishes)


@pytest.mark.parametrize(("octets", "why"), [(b"\x88\x00", "no UTF-8 at octet 0"), (b'words = "w"\ncontrol = "x"', "control: 'x'")])
def test_the_command_names_a_file_that_says_nothing(octets: bytes, why: str, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.toml"
    path.write_bytes(octets)
    assert main(["scenario", str(path)]) != 0
    said = capsys.readouterr().err
    assert str(path) in said
    assert why in said
    assert len(said.splitlines()) == 1


def test_the_command(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    drawing = tmp_path / "out.svg"
    assert main(["scenario", "paused", "--svg", str(drawing)]) == 0
    said = capsys.readouterr().out
    assert "-- PowerDeliveryReq Start ---" in said
    assert "session resumed *" in said
    assert "* close contactors" in said
    assert "(20 times, to" in said
    assert said.splitlines()[-1].startswith("paused, terminated; ")
    assert "<svg" in drawing.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("din-gives-up-after-cable-check", "PowerDeliveryReq Stop"),
        ("din-gives-up-in-precharge", "PreChargeReq"),
        ("iso2-ac-gives-up", "PowerDeliveryReq Start"),
    ],
)
def test_vehicles_that_give_up(name: str, last: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", name]) == 0
    asked = [line.split("-- ")[1].split(" -")[0] for line in capsys.readouterr().out.splitlines() if "|-- " in line]
    assert asked[-2].strip().startswith(last)
    assert asked[-1].startswith("SessionStopReq")


def test_those_that_are_there(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "--list"]) == 0
    said = capsys.readouterr().out.splitlines()
    assert [each.split()[0] for each in said] == [each.stem for each in FILES]
    assert all(read(path.read_text(encoding="utf-8")).words in line for path, line in zip(FILES, said, strict=True))


def test_schedules_beside_the_loop_are_seen(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["scenario", "renegotiated-beside"]) == 0
    said = capsys.readouterr().out
    assert said.count("PowerDeliveryReq ScheduleRenegotiation") == said.count("plan changed *") == 2
    assert main(["scenario", "no-standby"]) == 0
    assert "PowerDeliveryRes WARNING_StandbyNotAllowed" in capsys.readouterr().out


def test_another_end_than_said_is_1(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('words = "w"\nloops = 2\nends = ["paused"]\n', encoding="utf-8")
    assert main(["scenario", str(path)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == "expected: paused"


def test_what_is_wrong_with_a_file_is_said_in_words(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text('words = "w"\ncolour = 1\n', encoding="utf-8")
    assert main(["scenario", str(path)]) == 1
    assert f"{path}: colour: no such key" in capsys.readouterr().err
    assert main(["scenario", "nothing-of-that-name"]) == 1
    assert "there are contract-refused, din, " in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["paused", "--list"]])
def test_one_of_them(words: list[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["scenario", *words])
