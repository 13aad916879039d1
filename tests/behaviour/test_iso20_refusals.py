"""What a charger does not grant in an ISO 15118-20 session, and with which code it says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from bench.v2g.charger import Charger, Pace, every_way
from bench.v2g.guard import Careful, Guard
from bench.v2g.model import Vehicle
from bench.v2g.pair import Pair
from bench.v2g.wrong import again, any_request
from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Connected, Received, Send
from iso15118.evcc.terms import EvWish, Wants
from iso15118.iso20.values import rational
from iso15118.messages import sap
from iso15118.messages.iso20 import ac, dc
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_services as sv
from iso15118.messages.iso20 import common_types as ct
from iso15118.minimal import minimal
from iso15118.secc.iso20.dialect import Iso20
from iso15118.secc.iso20.table import S
from iso15118.secc.session import Answer, Protocol_, Session, Stage
from iso15118.terms import (
    AddedService,
    Control,
    Ending,
    Energy,
    ParameterSet,
    ParkingTold,
    Progress,
    Schedule,
    SessionOver,
    Slot,
)
from iso15118.v2gtp import ISO20_MAIN, SAP_DIN_ISO2, Frame


def make(energy: Energy = Energy.DC, control: Control = Control.DYNAMIC, **pace: Any) -> Pair:
    added = (AddedService(65, (ParameterSet(1),)),)
    charger = Charger(every_way(added_services=added), Pace(**pace))
    pair = Pair(charger, Vehicle(wants=Wants(energies=(energy,), controls=(control,), loops=30, customer_s=1000.0)))
    pair.watches += [Guard(), Careful()]
    return pair


def codes(pair: Pair) -> list[str]:
    said = [message for _, end, message in pair.messages if end == "evse" and isinstance(message, ct.V2GResponseType)]
    return [f"{type(each).__name__} {each.ResponseCode}" for each in said if each.ResponseCode.startswith("FAILED")]


# ---- the charger cannot, though the vehicle does everything right


def on(request: str, **facts: Any) -> Callable[[Pair], None]:
    """When the vehicle has said this, that becomes so."""

    def arrange(pair: Pair) -> None:
        def set_all() -> None:
            for name, value in facts.items():
                setattr(pair.charger.facts, name, value)
            pair.changed()

        pair.when(lambda: request in pair.said("ev"), set_all)

    return arrange


def nothing(pair: Pair) -> None:
    """Its pace alone is what is wrong."""


CANNOT: dict[str, tuple[Energy, dict[str, Any], Callable[[Pair], None], str, float]] = {
    "nobody authorises": (Energy.DC, {"authorization_s": 1e4}, nothing, "AuthorizationRes FAILED", 180.0),
    "no schedules": (Energy.AC, {"schedule_s": 1e4}, on("ServiceSelectionReq", schedules=None, dynamic=None), "ScheduleExchangeRes FAILED", 55.0),
    "the insulation is bad": (Energy.DC, {}, on("DC_CableCheckReq", cable_check=Progress.FAILED), "DC_CableCheckRes FAILED", 0.1),
    "the cable check does not end": (Energy.DC, {"cable_check_s": 1e4}, nothing, "DC_CableCheckRes FAILED", 38.0),
    "the precharge fails": (Energy.DC, {}, on("DC_PreChargeReq", precharge=Progress.FAILED), "DC_PreChargeRes FAILED", 0.1),
    "the precharge does not end": (Energy.DC, {"voltage_V_per_s": 1.0}, nothing, "DC_PreChargeRes FAILED", 10.0),
    "nobody reads the output": (Energy.DC, {}, on("DC_PreChargeReq", voltage_known=False), "DC_PreChargeRes FAILED", 0.1),
    "nobody reads the outlet": (Energy.DC, {}, on("DC_ChargeLoopReq", voltage_known=False), "DC_WeldingDetectionRes FAILED", 0.0),
    "the contactor does not close": (Energy.AC, {}, on("PowerDeliveryReq", power=Progress.FAILED), "PowerDeliveryRes FAILED_ContactorError", 0.0),
    "the contactor takes too long": (Energy.AC, {"contactor_s": 1e4}, nothing, "PowerDeliveryRes FAILED_ContactorError", 3.0),
    "the stage takes too long": (Energy.DC, {"contactor_s": 1e4}, nothing, "PowerDeliveryRes FAILED_ContactorError", 3.0),
    "a fault in AC": (Energy.AC, {}, on("AC_ChargeLoopReq", fault="a fan is stuck"), "AC_ChargeLoopRes FAILED", 0.0),
    "a fault in DC": (Energy.DC_BPT, {}, on("DC_ChargeLoopReq", fault="a fan is stuck"), "DC_ChargeLoopRes FAILED", 0.0),
    "no AC at all": (Energy.AC, {}, on("AuthorizationReq", ac=None), "AC_ChargeParameterDiscoveryRes FAILED_WrongChargeParameter", 0.0),
    "no DC at all": (Energy.DC, {}, on("AuthorizationReq", dc=None), "DC_ChargeParameterDiscoveryRes FAILED_WrongChargeParameter", 0.0),
    "no DC any more": (Energy.DC, {}, on("DC_ChargeLoopReq", dc=None), "DC_ChargeLoopRes FAILED", 0.0),
    "nothing on offer": (Energy.DC, {}, on("AuthorizationReq", energies=()), "ServiceDiscoveryRes FAILED_NoEnergyTransferServiceSelected", 0.0),
}  # fmt: skip


@pytest.mark.parametrize("what", CANNOT)
def test_what_the_charger_cannot(what: str) -> None:
    energy, pace, arrange, code, seconds = CANNOT[what]
    pair = make(energy, **pace)
    arrange(pair)
    pair.session()
    assert codes(pair) == [code]
    assert pair.evse_over is not None
    assert pair.ev_over is not None
    assert (pair.evse_over.ending, pair.ev_over.ending) == (Ending.ABORTED, Ending.ABORTED)
    kind = code.split()[0].removesuffix("Res") + "Req"
    asked = [when for when, end, message in pair.messages if end == "ev" and type(message).__name__ == kind]
    refused = next(when for when, _, message in pair.messages if getattr(message, "ResponseCode", "").startswith("FAILED"))
    assert refused - asked[0] == pytest.approx(seconds, abs=0.15)


def test_a_pause_that_is_not_allowed() -> None:
    pair = make()
    pair.charger.facts.pausing = False
    pair.when(lambda: "DC_ChargeLoopReq" in pair.said("ev"), lambda: setattr(pair.vehicle.wants, "wish", EvWish.PAUSE))
    pair.session()
    assert codes(pair) == ["SessionStopRes FAILED_PauseNotAllowed"]
    assert pair.paused is None


def test_a_vehicle_does_not_ask_for_services_where_that_is_not_supported() -> None:
    pair = make()
    pair.charger.facts.renegotiation = False
    pair.vehicle.wants.wish = EvWish.RENEGOTIATE_SERVICE
    pair.session()
    assert codes(pair) == []
    assert pair.said("ev").count("ServiceDiscoveryReq") == 1


# ---- the vehicle asks for what it cannot have


def reach(state: S, energy: Energy = Energy.DC, control: Control = Control.DYNAMIC) -> tuple[Iso20, Tick]:
    """The charger's dialect, honestly brought to this state."""
    pair = make(energy, control)
    pair.connect()
    pair.run(until=lambda: pair.dialect is not None and pair.dialect.state is state)
    assert pair.dialect is not None
    assert pair.dialect.state is state
    return pair.dialect, pair.now


def said(place: tuple[Iso20, Tick], kind: type[Any], **fields: Any) -> Answer:
    dialect, now = place
    request = any_request(kind, dialect.talk.session_id)
    return dialect.answer(now, again(request, **fields), late=False)


def code_of(answer: Answer) -> str:
    assert isinstance(answer.response, ct.V2GResponseType)
    assert bool(answer.failed) == answer.response.ResponseCode.startswith("FAILED")
    return answer.response.ResponseCode


def service(number: int, parameters: int) -> sv.SelectedServiceType:
    return sv.SelectedServiceType(ServiceID=number, ParameterSetID=parameters)


@pytest.mark.parametrize("number", [0, 1, 3, 66, 65535])
def test_details_of_no_service(number: int) -> None:
    assert code_of(said(reach(S.SERVICE_SELECTION), cm.ServiceDetailReq, ServiceID=number)) == "FAILED_ServiceIDInvalid"


@pytest.mark.parametrize(
    ("energy", "added"),
    [
        (service(2, 9), ()),
        (service(1, 1), ()),
        (service(3, 1), ()),
        (service(65, 1), ()),
        (service(2, 1), ((66, 1),)),
        (service(2, 1), ((65, 2),)),
    ],
)
def test_selections_of_nothing(energy: sv.SelectedServiceType, added: tuple[tuple[int, int], ...]) -> None:
    chosen = sv.SelectedServiceListType(SelectedService=tuple(service(*each) for each in added)) if added else None
    answer = said(reach(S.SERVICE_SELECTION), cm.ServiceSelectionReq, SelectedEnergyTransferService=energy, SelectedVASList=chosen)
    assert code_of(answer) == "FAILED_ServiceSelectionInvalid"


def test_parameters_of_another_direction() -> None:
    both = minimal(dc.BPT_DC_CPDReqEnergyTransferMode)
    answer = said(reach(S.DC_PARAMETERS), dc.DC_ChargeParameterDiscoveryReq, DC_CPDReqEnergyTransferMode=both)
    assert code_of(answer) == "FAILED_WrongChargeParameter"
    assert code_of(said(reach(S.AC_PARAMETERS, Energy.AC_BPT), ac.AC_ChargeParameterDiscoveryReq)) == "FAILED_WrongChargeParameter"


@pytest.mark.parametrize(("least_V", "most_V", "code"), [(1001, 2000, "FAILED_WrongChargeParameter"), (0, 149, "FAILED_WrongChargeParameter"), (0, 150, "OK"), (1000, 2000, "OK")])  # fmt: skip
def test_voltages_that_do_not_meet(least_V: float, most_V: float, code: str) -> None:
    limits = minimal(dc.DC_CPDReqEnergyTransferModeType, EVMinimumVoltage=rational(least_V), EVMaximumVoltage=rational(most_V))
    assert code_of(said(reach(S.DC_PARAMETERS), dc.DC_ChargeParameterDiscoveryReq, DC_CPDReqEnergyTransferMode=limits)) == code


def test_schedules_of_another_control_mode() -> None:
    for control, fields in (
        (Control.DYNAMIC, {"Dynamic_SEReqControlMode": None, "Scheduled_SEReqControlMode": cs.Scheduled_SEReqControlModeType()}),
        (Control.SCHEDULED, {}),
    ):
        answer = said(reach(S.DC_SCHEDULE, control=control), cm.ScheduleExchangeReq, **fields)
        assert code_of(answer) == "FAILED_WrongChargeParameter", control


def profile(schedule_id: int, *slots: tuple[int, float]) -> cs.EVPowerProfileType:
    entries = tuple(cs.PowerScheduleEntryType(Duration=seconds, Power=rational(power)) for seconds, power in slots)
    return cs.EVPowerProfileType(
        TimeAnchor=0,
        Scheduled_EVPPTControlMode=cs.Scheduled_EVPPTControlModeType(SelectedScheduleTupleID=schedule_id),
        EVPowerProfileEntries=cs.EVPowerProfileEntryListType(EVPowerProfileEntry=entries),
    )


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (None, "FAILED_ScheduleSelectionInvalid"),
        (profile(9, (60, 100)), "FAILED_ScheduleSelectionInvalid"),
        (profile(4, (60, 10_200)), "FAILED_EVPowerProfileInvalid"),
        (profile(4, (30, 10_000), (31, 5_000), (10, 5_000)), "OK"),
        (profile(4, (60, 10_000), (60, 5_100)), "FAILED_EVPowerProfileInvalid"),
        (profile(4, (60, 10_000), (600, 5_000), (600, 5_000)), "OK"),
    ],
)
def test_profiles(plan: cs.EVPowerProfileType | None, code: str) -> None:
    dialect, now = reach(S.AC_READY, Energy.AC, Control.SCHEDULED)
    dialect.talk.schedules = (Schedule(4, (Slot(0, 60, 10_000.0), Slot(60, 60, 5_000.0))),)
    dialect.talk.facts.power = Progress.DONE
    answer = said((dialect, now), cm.PowerDeliveryReq, EVProcessing="Finished", ChargeProgress="Start", EVPowerProfile=plan)
    assert code_of(answer) == code


def test_a_vehicle_that_is_not_ready_yet() -> None:
    dialect, now = reach(S.AC_READY, Energy.AC)
    answer = said((dialect, now), cm.PowerDeliveryReq, EVProcessing="Ongoing", ChargeProgress="Start")
    assert code_of(answer) == "OK"
    assert (answer.told, dialect.state, dialect.energy_on) == ((), S.AC_READY, False)


LOOPS = [
    (S.DC_LOOP, Energy.DC, dc.DC_ChargeLoopReq, minimal(dc.Scheduled_DC_CLReqControlMode), "control mode"),
    (S.DC_LOOP, Energy.DC, dc.DC_ChargeLoopReq, minimal(dc.BPT_Dynamic_DC_CLReqControlMode), "direction"),
    (S.AC_LOOP, Energy.AC, ac.AC_ChargeLoopReq, minimal(ac.Scheduled_AC_CLReqControlMode), "control mode"),
    (S.AC_LOOP, Energy.AC, ac.AC_ChargeLoopReq, minimal(ac.BPT_Dynamic_AC_CLReqControlMode), "direction"),
    (S.AC_LOOP, Energy.AC, ac.AC_ChargeLoopReq, minimal(dc.Dynamic_DC_CLReqControlMode), "in the loop of AC"),
    (S.DC_LOOP, Energy.DC, dc.DC_ChargeLoopReq, minimal(ac.Dynamic_AC_CLReqControlMode), "in the loop of DC"),
]


@pytest.mark.parametrize(("state", "energy", "kind", "mode", "why"), LOOPS)
def test_a_loop_of_another_kind(state: S, energy: Energy, kind: type[Any], mode: Any, why: str) -> None:
    answer = said(reach(state, energy), kind, CLReqControlMode=mode)
    assert code_of(answer) == "FAILED"
    assert why in answer.failed


def test_a_reading_of_another_session() -> None:
    data = minimal(cm.SignedMeteringDataType, SessionID=b"somebody", Id="a")
    assert code_of(said(reach(S.DC_LOOP), cm.MeteringConfirmationReq, SignedMeteringData=data)) == "FAILED_MeteringSignatureNotValid"


def test_plug_and_charge_is_turned_down_and_may_be_followed_by_eim() -> None:
    place = reach(S.AUTHORIZATION)
    answer = said(place, cm.AuthorizationReq, SelectedAuthorizationService="PnC")
    assert code_of(answer) == "WARNING_AuthorizationSelectionInvalid"
    place[0].talk.facts.authorization = Progress.DONE
    assert code_of(said(place, cm.AuthorizationReq)) == "OK"
    assert place[0].state is S.SERVICE_DISCOVERY


def test_services_again_where_that_is_not_supported() -> None:
    place = reach(S.DC_OFF)
    place[0].talk.facts.renegotiation = False
    assert code_of(said(place, cm.SessionStopReq, ChargingSession="ServiceRenegotiation")) == "FAILED_NoServiceRenegotiationSupported"


def test_parking() -> None:
    place = reach(S.DC_LOOP)
    dialect, now = place
    facts = dialect.talk.facts
    facts.parking_methods = ("Manual",)
    assert code_of(said(place, cm.VehicleCheckInReq, ParkingMethod="AutoParking")) == "FAILED"
    answer = said(place, cm.VehicleCheckInReq, ParkingMethod="Manual", EVCheckInStatus="Processing")
    assert (code_of(answer), answer.told) == ("OK", (ParkingTold("check-in, Manual", "Processing"),))
    later = said(place, cm.VehicleCheckOutReq, EVCheckOutStatus="CheckOut", CheckOutTime=int(now.utc) + 60).response
    assert isinstance(later, cm.VehicleCheckOutRes)
    assert later.EVSECheckOutStatus == "Scheduled"
    done = said(place, cm.VehicleCheckOutReq, EVCheckOutStatus="Completed", CheckOutTime=int(now.utc) + 60).response
    assert isinstance(done, cm.VehicleCheckOutRes)
    assert done.EVSECheckOutStatus == "Completed"
    assert dialect.state is S.DC_LOOP


# ---- supportedAppProtocol


NAMESPACE = dc.NAMESPACE


class Talking:
    """All that is asked of a dialect here."""

    energy_on = False


def offer(*offers: tuple[str, int, int, int]) -> list[Any]:
    """Namespace, major, minor, priority, in the order of SchemaID 1, 2..: what the charger does."""
    dialect: Any = Talking()
    session = Session([Protocol_(name, 1, 0, lambda _: dialect, unverified=True) for name in (NAMESPACE, ac.NAMESPACE)])
    session.handle(Tick(0.0, 0.0), Connected())
    request = sap.supportedAppProtocolReq(
        AppProtocol=tuple(
            sap.AppProtocolType(ProtocolNamespace=name, VersionNumberMajor=major, VersionNumberMinor=minor, SchemaID=at, Priority=priority)
            for at, (name, major, minor, priority) in enumerate(offers, 1)
        )
    )
    return session.handle(Tick(0.1, 0.1), Received(Frame(SAP_DIN_ISO2, exi.encode(request, sap.NAMESPACE)).octets()))


@pytest.mark.parametrize(
    ("offers", "code", "schema_id"),
    [
        ([(NAMESPACE, 1, 0, 1)], "OK_SuccessfulNegotiation", 1),
        ([(NAMESPACE, 1, 3, 1)], "OK_SuccessfulNegotiationWithMinorDeviation", 1),
        ([(NAMESPACE, 2, 0, 1)], "Failed_NoNegotiation", None),
        ([("urn:iso:15118:2:2013:MsgDef", 2, 0, 1)], "Failed_NoNegotiation", None),
        ([("urn:iso:15118:2:2013:MsgDef", 2, 0, 1), (NAMESPACE, 1, 0, 2)], "OK_SuccessfulNegotiation", 2),
        ([(NAMESPACE, 1, 0, 2), (ac.NAMESPACE, 1, 0, 1)], "OK_SuccessfulNegotiation", 2),
        ([(NAMESPACE, 1, 0, 1), (ac.NAMESPACE, 1, 0, 2)], "OK_SuccessfulNegotiation", 1),
    ],
)
def test_protocols(offers: list[tuple[str, int, int, int]], code: str, schema_id: int | None) -> None:
    commands = offer(*offers)
    (send,) = [each for each in commands if isinstance(each, Send)]
    assert isinstance(send.message, sap.supportedAppProtocolRes)
    assert (send.message.ResponseCode, send.message.SchemaID) == (code, schema_id)
    assert any(isinstance(each, SessionOver) for each in commands) == (schema_id is None)


@pytest.mark.parametrize(
    "octets",
    [
        Frame(ISO20_MAIN, b"\x80").octets(),
        Frame(SAP_DIN_ISO2, exi.encode(sap.supportedAppProtocolRes(ResponseCode="Failed_NoNegotiation"), sap.NAMESPACE)).octets(),
        Frame(SAP_DIN_ISO2, b"\x80").octets(),
    ],
)
def test_no_supportedAppProtocolReq(octets: bytes) -> None:
    session = Session([])
    session.handle(Tick(0.0, 0.0), Connected())
    commands = session.handle(Tick(0.1, 0.1), Received(octets))
    assert not any(isinstance(each, Send) for each in commands)
    assert session.stage is Stage.OVER


def test_iso20_is_for_vehicles_whose_certificate_was_judged() -> None:
    """Unless a bench says otherwise; a vehicle that has another protocol gets that."""
    other = "urn:iso:15118:2:2013:MsgDef"
    dialect: Any = Talking()

    def answers(*connected: Connected) -> Any:
        protocols = [Protocol_(NAMESPACE, 1, 0, lambda _: dialect), Protocol_(other, 2, 0, lambda _: dialect, unverified=True)]
        session = Session(protocols)
        for each in connected:
            session.handle(Tick(0.0, 0.0), each)
        request = sap.supportedAppProtocolReq(
            AppProtocol=(
                sap.AppProtocolType(ProtocolNamespace=NAMESPACE, VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1),
                sap.AppProtocolType(ProtocolNamespace=other, VersionNumberMajor=2, VersionNumberMinor=0, SchemaID=2, Priority=2),
            )
        )
        commands = session.handle(Tick(0.1, 0.1), Received(Frame(SAP_DIN_ISO2, exi.encode(request, sap.NAMESPACE)).octets()))
        return next(each.message for each in commands if isinstance(each, Send))

    assert answers(Connected()).SchemaID == 2
    assert answers(Connected(), Connected()).SchemaID == 2, "TLS, and nobody judged"
    assert answers(Connected(), Connected(verified=True)).SchemaID == 1
