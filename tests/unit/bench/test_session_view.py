"""What counts as consent on the wire: an answer, not a request; where the answer waits for the contactor, a request in its right place."""

from __future__ import annotations

from typing import Any

import pytest

from bench.campaign.session_view import SessionView
from chargepoint.commands import CloseVehicle, SendToVehicle
from chargepoint.events import PoweredUp, VehicleConnected, VehicleGone, VehicleSaid
from iso15118 import exi, v2gtp
from iso15118.iso20.wire import least, payload_type
from iso15118.messages.declare import Message
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct

OURS, OTHER = b"\x01" * 8, b"\x02" * 8
FAILED = "FAILED_SequenceError"


class Wire:
    """One connection to EVSE 1, and whoever listens."""

    def __init__(self, mode: str, *, standby: bool = True) -> None:
        hears: list[Any] = []
        self.view = SessionView(hears, 1, dc=mode == "dc", standby=standby)
        (self.tell,) = hears
        self.tell(VehicleConnected(1, 7, "fe80::1", "TLSv1.3", verified=True))

    def ask(self, kind: type[Message], *, session: bytes = OURS, **given: Any) -> None:
        self.tell(VehicleSaid(1, 7, _octets(kind, session, given)))

    def answer(self, kind: type[Message], code: str = "OK", *, stream: int = 0, **given: Any) -> None:
        self.tell(SendToVehicle(1, 7, _octets(kind, OURS, {"ResponseCode": code, **given}, stream)))

    def setup(self) -> None:
        self.ask(cm.SessionSetupReq, session=bytes(8))
        self.answer(cm.SessionSetupRes, "OK_NewSessionEstablished")

    def schedule(self) -> None:
        self.ask(cm.ScheduleExchangeReq)
        self.answer(cm.ScheduleExchangeRes, EVSEProcessing="Finished")

    def checked(self) -> None:
        self.setup()
        self.schedule()
        self.ask(dc.DC_CableCheckReq)
        self.answer(dc.DC_CableCheckRes, EVSEProcessing="Finished")

    def start(self, processing: str = "Finished", **more: Any) -> None:
        self.ask(cm.PowerDeliveryReq, ChargeProgress="Start", EVProcessing=processing, **more)

    def progress(self, what: str, code: str = "OK") -> None:
        self.ask(cm.PowerDeliveryReq, ChargeProgress=what, EVProcessing="Finished")
        self.answer(cm.PowerDeliveryRes, code)

    def so(self) -> tuple[bool, bool]:
        """Consent, and power."""
        return self.view.consent, self.view.power

    def delivers(self) -> None:
        """In order, until energy may flow."""
        if self.view.dc:
            self.checked()
            self.ask(dc.DC_PreChargeReq)
            self.answer(dc.DC_PreChargeRes)
        else:
            self.setup()
            self.schedule()
        self.progress("Start")
        assert self.so() == (True, True)


def _octets(kind: type[Message], session: bytes, given: dict[str, Any], stream: int = 0) -> bytes:
    message = least(kind, Header=ct.MessageHeaderType(SessionID=session, TimeStamp=0), **given)
    number = payload_type(kind)
    return v2gtp.Frame(stream or number, exi.encode(message, v2gtp.SCHEMA_SETS[number])).octets()


# ---- AC: PowerDelivery Start


def test_a_start_in_order_is_consent_from_its_answer_on() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    assert wire.so() == (False, False)
    wire.progress("Start")
    assert wire.so() == (True, True)


def test_a_start_that_waits_for_the_contactor_lets_it_close_and_its_refusal_does_not() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    wire.start()
    assert wire.so() == (True, False)
    wire.answer(cm.PowerDeliveryRes, "FAILED_ContactorError")
    assert wire.so() == (False, False)


@pytest.mark.parametrize("answered", [True, False])
def test_a_lone_start_is_none_whatever_is_answered(*, answered: bool) -> None:
    wire = Wire("ac")
    wire.setup()
    wire.start()
    if answered:
        wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)


def test_a_start_with_the_id_of_another_session_is_none() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    wire.start(session=OTHER)
    assert wire.so() == (False, False)


def test_a_refused_start_is_none_and_ends_what_was() -> None:
    wire = Wire("ac")
    wire.delivers()
    wire.start()
    wire.answer(cm.PowerDeliveryRes, FAILED)
    assert wire.so() == (False, False)


def test_a_vehicle_that_is_still_at_it_has_not_consented() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    wire.start("Ongoing")
    assert wire.so() == (False, False)
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)
    wire.start()
    assert wire.so()[0]


def test_schedules_that_are_not_there_yet_or_come_beside_are_no_place_for_a_start() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.ask(cm.ScheduleExchangeReq)
    wire.answer(cm.ScheduleExchangeRes, EVSEProcessing="Ongoing")
    wire.ask(cm.ScheduleExchangeReq)
    wire.answer(cm.ScheduleExchangeRes, EVSEProcessing="Finished", stream=v2gtp.ISO20_SCHEDULE_RENEGOTIATION)
    wire.start()
    assert wire.so() == (False, False)


def test_a_start_behind_a_stop_waits_for_that_first() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    wire.ask(cm.PowerDeliveryReq, ChargeProgress="Stop", EVProcessing="Finished")
    wire.start()
    assert wire.so() == (False, False)
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)


def test_a_stop_behind_a_start_ends_it_when_that_is_answered() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.schedule()
    wire.start()
    wire.ask(cm.PowerDeliveryReq, ChargeProgress="Stop", EVProcessing="Finished")
    wire.answer(cm.PowerDeliveryRes)
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)


# ---- DC: the cable check, and then PowerDelivery Start


def test_a_cable_check_is_consent_when_it_is_answered() -> None:
    wire = Wire("dc")
    wire.setup()
    wire.schedule()
    wire.ask(dc.DC_CableCheckReq)
    assert wire.so() == (False, False)
    wire.answer(dc.DC_CableCheckRes, EVSEProcessing="Ongoing")
    assert wire.so()[0]
    wire.ask(dc.DC_CableCheckReq)
    wire.answer(dc.DC_CableCheckRes, "FAILED")
    assert wire.so() == (False, False)


def test_a_cable_check_out_of_its_place_is_none() -> None:
    wire = Wire("dc")
    wire.setup()
    wire.ask(dc.DC_CableCheckReq)
    wire.answer(dc.DC_CableCheckRes)
    assert wire.so() == (False, False)


@pytest.mark.parametrize("planned", [True, False])
def test_on_dc_a_start_before_any_cable_check_is_nothing(*, planned: bool) -> None:
    wire = Wire("dc")
    wire.setup()
    if planned:
        wire.schedule()
    wire.start()
    assert wire.so() == (False, False)
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)


def test_on_dc_energy_waits_for_the_answer_and_for_a_precharge() -> None:
    wire = Wire("dc")
    wire.checked()
    wire.progress("Start")
    assert wire.so() == (True, False)  # nothing was precharged
    wire.ask(dc.DC_PreChargeReq)
    wire.answer(dc.DC_PreChargeRes)
    wire.start()
    assert wire.so() == (True, False)
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (True, True)


# ---- its end


@pytest.mark.parametrize("mode", ["ac", "dc"])
@pytest.mark.parametrize(
    "end",
    [
        lambda wire: wire.ask(cm.PowerDeliveryReq, ChargeProgress="Stop", EVProcessing="Finished"),
        lambda wire: wire.ask(cm.SessionStopReq),
        lambda wire: wire.ask(cm.SessionSetupReq),
        lambda wire: wire.answer(cm.PowerDeliveryRes, FAILED),
        lambda wire: wire.tell(VehicleGone(1, 7, "reset")),
        lambda wire: wire.tell(CloseVehicle(1, 7)),
        lambda wire: wire.tell(PoweredUp("PowerUp", "00", {})),
    ],
    ids=["stop", "session stop", "setup", "failed", "gone", "closed", "restart"],
)
def test_what_ends_it(mode: str, end: Any) -> None:
    wire = Wire(mode)
    wire.delivers()
    end(wire)
    assert wire.so() == (False, False)


@pytest.mark.parametrize(("mode", "consents"), [("ac", False), ("dc", True)])
def test_standby_takes_the_energy_and_on_ac_the_contactor(mode: str, *, consents: bool) -> None:
    wire = Wire(mode)
    wire.delivers()
    wire.progress("Standby")
    assert wire.so() == (consents, False)
    wire.progress("Start")
    assert wire.so() == (True, True)


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_a_standby_that_is_not_granted_changes_nothing(mode: str) -> None:
    wire = Wire(mode, standby=False)
    wire.delivers()
    wire.progress("Standby", "WARNING_StandbyNotAllowed")
    assert wire.so() == (True, True)


@pytest.mark.parametrize("mode", ["ac", "dc"])
def test_other_schedules_leave_the_energy_on(mode: str) -> None:
    wire = Wire(mode)
    wire.delivers()
    wire.progress("ScheduleRenegotiation")
    wire.schedule()
    wire.progress("Start")
    assert wire.so() == (True, True)


def test_a_standby_that_is_left_for_other_schedules_waits_for_them() -> None:
    wire = Wire("ac")
    wire.delivers()
    wire.progress("Standby")
    wire.progress("ScheduleRenegotiation")
    wire.start()
    assert wire.so() == (False, False)


@pytest.mark.parametrize("mode", ["ac", "dc"])
@pytest.mark.parametrize("kind", [cm.SessionSetupReq, cm.SessionStopReq])
def test_a_start_behind_the_end_of_a_session_is_none(mode: str, kind: type[Message]) -> None:
    wire = Wire(mode)
    wire.delivers()
    wire.progress("Standby")
    wire.ask(kind)
    wire.start()
    assert wire.so() == (False, False)


# ---- what is nothing


def test_octets_that_are_no_message_and_connections_that_nobody_knows_say_nothing() -> None:
    wire = Wire("ac")
    wire.delivers()
    wire.tell(VehicleSaid(1, 8, _octets(cm.SessionStopReq, OURS, {})))
    wire.tell(VehicleSaid(2, 7, _octets(cm.SessionStopReq, OURS, {})))
    wire.ask(ac.AC_ChargeLoopReq)
    wire.tell(VehicleSaid(1, 7, v2gtp.Frame(v2gtp.ISO20_MAIN, b"\x80\x94\xff").octets()))
    wire.tell(VehicleSaid(1, 7, v2gtp.Frame(v2gtp.ISO20_MAIN, b"").octets()))
    wire.tell(VehicleSaid(1, 7, b"GET / HTTP/1.1\r\n\r\n"))
    assert wire.so()[0]
    assert not wire.view.talks[7].asked


def test_a_request_without_an_answer_before_others_is_forgotten() -> None:
    wire = Wire("ac")
    wire.setup()
    wire.ask(cm.ScheduleExchangeReq)
    wire.start()
    wire.answer(cm.PowerDeliveryRes)
    assert not wire.view.talks[7].asked
    wire.answer(cm.PowerDeliveryRes)
    assert wire.so() == (False, False)
