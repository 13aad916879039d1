"""What the demo shows: the model that follows a station, its lines, and the picture at any size of terminal."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from rich.console import Console

from bench.view import KEYS, Model, energy_of, render, summary
from chargepoint.commands import Command, Log, SendText, SetDuty, SetStateF, SetX1
from chargepoint.events import TextReceived, TimerExpired
from chargepoint.tick import Tick
from hal.types import ContactorFeedback, MeterSample, PilotState, PilotVoltage

NOW = Tick(0.0, 1_767_225_600.0)
CALL = [
    2,
    "1",
    "TransactionEvent",
    {"eventType": "Ended", "triggerReason": "StopAuthorized", "transactionInfo": {"stoppedReason": "Local"}},
]


def sample(energy_Wh: float, amps: float = 0.0) -> MeterSample:
    return MeterSample(1, energy_Wh, None, amps * 230.0, (amps, 0.0, 0.0), (230.0,) * 3)


def follow(model: Model, event: object = TimerExpired(), *commands: Command) -> list[str]:
    return [line.partition(" ")[2].partition(" ")[2] for line in model.follow(NOW, event, commands)]


def picture(model: Model, width: int = 100, height: int = 40) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=width, height=height).print(render(model, height))
    return out.getvalue().splitlines()


def test_messages_are_told_with_what_matters_in_them() -> None:
    model = Model()
    assert follow(model, TimerExpired(), SendText(json.dumps(CALL))) == ["ocpp > TransactionEvent Ended StopAuthorized Local"]
    assert follow(model, TextReceived('[3, "1", {"idTokenInfo": {"status": "Blocked"}}]')) == ["ocpp < TransactionEvent: Blocked"]
    assert follow(model, TextReceived('[2, "x", "Reset", {"type": "OnIdle"}]')) == ["ocpp < Reset OnIdle"]
    assert follow(model, TimerExpired(), SendText('[4, "x", "InternalError", "no", {}]')) == ["ocpp > Reset: InternalError no"]
    assert follow(model, TextReceived('[3, "unknown", {}]')) == ["ocpp < : ok"]


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[2]", '[2, "1"]', "null", '[3, "1"]', '[2, "1", "X", 3]', '[3, "1", [1]]'])
def test_garbage_is_told_and_harms_nothing(text: str) -> None:
    assert follow(Model(), TextReceived(text)) == ["ocpp < garbage"]


def meter_value(measurand: str | None, value: float) -> dict[str, Any]:
    return {"value": value, **({"measurand": measurand} if measurand else {})}


@pytest.mark.parametrize(
    ("payload", "energy_Wh"),
    [
        ({}, None),
        ({"meterValue": [{"sampledValue": [meter_value("Current.Import", 16.0)]}]}, None),
        ({"meterValue": [{"sampledValue": [meter_value(None, 7.0)]}]}, 7.0),
        ({"meterValue": [{"sampledValue": [meter_value("Energy.Active.Import.Register", n)]} for n in (0.0, 12.5)]}, 12.5),
    ],
)
def test_the_energy_of_a_message(payload: dict[str, Any], energy_Wh: float | None) -> None:
    assert energy_of(payload) == energy_Wh
    assert summary("TransactionEvent", payload) == ("" if energy_Wh is None else f"{energy_Wh:.1f} Wh")


def test_the_picture_follows_the_body() -> None:
    model = Model()
    follow(model, PilotVoltage(1, 6.0, -12.0), SetDuty(1, 26.7))
    follow(model, ContactorFeedback(1, True, 3))
    follow(model, sample(1000.0), Log("info", "transaction.started", {"evse": 1, "id": "T1", "trigger": "Authorized"}))
    follow(model, sample(1012.5, 16.0))
    shown = "\n".join(picture(model))
    assert "C2  +6.0 V, PWM 26.7 %" in shown
    assert "CLOSED" in shown
    assert "16.0 A ████████████████████ " in shown
    assert "3.68 kW" in shown
    assert "1012.5 Wh on the meter" in shown
    assert "not connected" in shown
    follow(model, PilotVoltage(1, 12.0, None), SetX1(1))
    follow(model, ContactorFeedback(1, False, 0))
    shown = "\n".join(picture(model))
    assert "A   +12.0 V, no PWM" in shown
    assert "open" in shown
    follow(model, PilotState(1, "F"), SetStateF(1))
    assert "-12.0 V, no PWM" in "\n".join(picture(model))


def test_what_is_over_is_told_at_the_end() -> None:
    model = Model()
    follow(model, TimerExpired(), Log("info", "transaction.ended", {"evse": 1, "id": "T1", "reason": "Local", "Wh": 12.5}))
    assert model.ended == ["transaction T1 ended (Local) after 12.5 Wh"]


@pytest.mark.parametrize(("width", "height"), [(80, 24), (120, 50), (60, 13), (200, 100), (80, 19), (80, 16)])
def test_the_picture_fits_and_the_keys_are_in_it(width: int, height: int) -> None:
    model = Model()
    follow(model, PilotVoltage(1, 12.0, None))
    for n in range(200):
        follow(model, TimerExpired(), SendText(json.dumps([2, str(n), "Heartbeat", {}])), Log("info", f"note.{n}", {"text": "x" * 300}))
    shown = picture(model, width, height)
    assert len(shown) <= height
    assert max(map(len, shown)) <= width
    assert shown[-1].startswith(KEYS[:50])
    if height >= 24:
        assert any("note.199" in line for line in shown)
        assert any("Heartbeat" in line for line in shown)


def test_what_a_peer_says_is_no_markup_and_moves_no_cursor() -> None:
    model = Model()
    follow(
        model,
        PilotVoltage(1, 12.0, None),
        SendText(json.dumps([2, "1", "[red]X\x1b[2J", {"status": "[bold]"}])),
        Log("info", "k", {"v": "[red]\x1b[2J"}),
    )
    shown = "\n".join(picture(model))
    assert "[red]X" in shown
    assert "\x1b" not in shown


def test_the_matching_stands_before_the_session_in_the_picture() -> None:
    model = Model(speaks="iso20-dc")
    follow(model, TimerExpired(), Log("info", "slac.message", {"evse": 1, "way": ">", "message": "CM_SLAC_PARM.REQ"}))
    follow(model, TimerExpired(), Log("info", "slac.matched", {"evse": 1, "attenuation_dB": 6.0}))
    follow(model, TimerExpired(), Log("info", "v2g.message", {"evse": 1, "way": "<", "message": "SessionSetupRes", "code": "OK"}))
    text = "\n".join(picture(model))
    places = [text.index(each) for each in ("> SLAC CM_SLAC_PARM.REQ", "= SLAC matched, 6.0 dB", "< SessionSetupRes OK")]
    assert places == sorted(places)
