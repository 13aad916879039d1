"""What counts as consent on the wire of DIN 70121 and ISO 15118-2: an answer, not a request, each in its place."""

from __future__ import annotations

from typing import Any

import pytest

from bench.campaign.session_view import SessionView
from bench.campaign.wire_words import word
from chargepoint.commands import SendToVehicle
from chargepoint.events import VehicleConnected, VehicleSaid
from iso15118 import exi, v2gtp
from iso15118.minimal import minimal
from tests.unit.iso15118.v2gmsg_rig import Rig

OURS, OTHER = b"\x01" * 8, b"\x02" * 8
SPEECHES = ("din", "iso2-dc", "iso2-ac")


class Wire:
    """One connection, and whoever listens; messages by their names in ISO 15118-2."""

    def __init__(self, speech: str) -> None:
        hears: list[Any] = []
        self.rig = Rig(speech)
        talk = self.rig.dialect.talk
        talk.energy, talk.mode = talk.energies[0], "AC_three_phase_core" if speech == "iso2-ac" else "DC_extended"
        self.view = SessionView(hears, 1, dc=speech != "iso2-ac", standby=True)
        (self.tell,) = hears
        self.tell(VehicleConnected(1, 7, "fe80::1", "", verified=False))

    def octets(self, name: str, session: bytes, fields: dict[str, Any]) -> bytes:
        spelling = self.rig.dialect.talk.spelling
        kind = getattr(spelling.body, name)
        usual = self.rig.good(kind) if name.endswith("Res") else _requests(self.rig, name)
        message = minimal(kind, **(usual | fields))
        return v2gtp.Frame(v2gtp.SAP_DIN_ISO2, exi.encode(spelling.document(session, message), spelling.namespace)).octets()

    def ask(self, name: str, session: bytes = OURS, **fields: Any) -> None:
        self.tell(VehicleSaid(1, 7, self.octets(f"{name}Req", session, fields)))

    def answer(self, name: str, **fields: Any) -> None:
        self.tell(SendToVehicle(1, 7, self.octets(f"{name}Res", OURS, fields)))

    def both(self, name: str, **fields: Any) -> None:
        self.ask(name)
        self.answer(name, **fields)

    def delivery(self, progress: str, session: bytes = OURS) -> None:
        din_words = {"ReadyToChargeState": progress == "Start"}
        self.ask(
            "PowerDelivery", session, **(din_words if self.rig.speech == "din" else {"ChargeProgress": progress, "SAScheduleTupleID": 1})
        )

    def until(self, last: str) -> Wire:
        """In order."""
        for name in ("SessionSetup", "ChargeParameterDiscovery", "CableCheck", "PreCharge"):
            if self.view.dc or name not in ("CableCheck", "PreCharge"):
                self.both(name)
            if name == last:
                break
        return self

    def so(self) -> tuple[bool, bool]:
        """Consent, and power."""
        return self.view.consent, self.view.power


def _requests(rig: Rig, name: str) -> dict[str, Any]:
    """What a request must have beside the least."""
    if name != "ChargeParameterDiscoveryReq":
        return {}
    request: Any = rig.dialect.talk.spelling.parameters(rig.dialect.talk)
    return {each: getattr(request, each) for each in type(request).__slots__}


@pytest.fixture(params=SPEECHES)
def wire(request: pytest.FixtureRequest) -> Wire:
    return Wire(request.param)


def test_a_session_in_order(wire: Wire) -> None:
    wire.until("ChargeParameterDiscovery")
    assert wire.so() == (False, False)
    if wire.view.dc:
        wire.ask("CableCheck")
        assert wire.so() == (False, False), "a request is none"
        wire.answer("CableCheck", EVSEProcessing="Ongoing")
        assert wire.so() == (True, False)
        wire.both("PreCharge")
    wire.delivery("Start")
    assert wire.so() == (True, False)
    wire.answer("PowerDelivery")
    assert wire.so() == (True, True)
    wire.delivery("Stop")
    assert wire.so() == (False, False)


def test_a_start_in_a_wrong_place_or_of_another_session(wire: Wire) -> None:
    wire.until("SessionSetup")
    wire.delivery("Start")
    assert wire.so() == (False, False)
    wire.answer("PowerDelivery")
    assert wire.so() == (False, False)
    if not wire.view.dc:
        wire.both("ChargeParameterDiscovery")
        wire.delivery("Start", OTHER)
        assert wire.so() == (False, False)


def test_parameters_that_are_not_done_are_no_schedule(wire: Wire) -> None:
    wire.until("SessionSetup")
    wire.both("ChargeParameterDiscovery", EVSEProcessing="Ongoing")
    if wire.view.dc:
        wire.both("CableCheck")
    wire.delivery("Start")
    assert wire.so() == (False, False)


def test_failed_takes_it_all(wire: Wire) -> None:
    wire.until("PreCharge")
    wire.delivery("Start")
    wire.answer("PowerDelivery")
    assert wire.so() == (True, True)
    name = "CurrentDemand" if wire.view.dc else "ChargingStatus"
    wire.both(name, ResponseCode="FAILED")
    assert wire.so() == (False, False)


@pytest.mark.parametrize("name", ["SessionStop", "SessionSetup"])
def test_the_end_and_a_new_begin(wire: Wire, name: str) -> None:
    wire.until("PreCharge")
    wire.delivery("Start")
    wire.answer("PowerDelivery")
    wire.ask(name)
    assert wire.so() == (False, False)


@pytest.mark.parametrize("speech", ["iso2-dc", "iso2-ac"])
def test_other_schedules_keep_what_flows_and_a_start_waits_for_them(speech: str) -> None:
    wire = Wire(speech)
    wire.until("PreCharge")
    wire.delivery("Start")
    wire.answer("PowerDelivery")
    wire.delivery("Renegotiate")
    wire.answer("PowerDelivery")
    assert wire.so() == (True, True)
    wire.both("ChargeParameterDiscovery")
    wire.delivery("Start")
    wire.answer("PowerDelivery")
    assert wire.so() == (True, True)


def test_responses_of_a_vehicle_and_requests_of_a_charger_say_nothing(wire: Wire) -> None:
    wire.until("PreCharge")
    wire.tell(VehicleSaid(1, 7, wire.octets("PowerDeliveryRes", OURS, {})))
    wire.tell(SendToVehicle(1, 7, wire.octets("SessionStopReq", OURS, {})))
    wire.delivery("Start")
    assert wire.so() == (True, False)
    wire.answer("PowerDelivery")
    assert wire.so() == (True, True)


def test_what_is_no_message() -> None:
    assert word(v2gtp.SAP_DIN_ISO2, b"") is None
    assert word(v2gtp.SAP_DIN_ISO2, b"\x80\x00\x00") is None
    assert word(v2gtp.SAP_DIN_ISO2, b"\x80\x98") is None
    assert word(0x9000, b"\x80\x98\x00") is None
