"""The vehicle's session machine: agreement, pace, timers, and what ends it."""

from __future__ import annotations

from typing import Any

import pytest

from chargepoint.tick import Tick
from iso15118 import exi
from iso15118.connection import Abort, Changed, Close, Connected, Heard, Lost, Note, Received, Send, TimerExpired
from iso15118.evcc.iso20.dialect import spoken
from iso15118.evcc.session import Session, Spoken, Stage
from iso15118.evcc.terms import Wants
from iso15118.messages import sap
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import DialectChosen, Ending, Energy, SessionOver
from iso15118.v2gtp import ISO20_MAIN, SAP_DIN_ISO2, Frame

SESSION_ID = b"12345678"


def at(seconds: float) -> Tick:
    return Tick(100.0 + seconds, 1e9 + seconds)


def frame(message: Any, payload_type: int = ISO20_MAIN) -> Received:
    namespace = sap.NAMESPACE if payload_type == SAP_DIN_ISO2 else cm.NAMESPACE
    return Received(Frame(payload_type, exi.encode(message, namespace)).octets())


def agreed(schema_id: int | None = 1, code: Any = "OK_SuccessfulNegotiation") -> Received:
    return frame(sap.supportedAppProtocolRes(ResponseCode=code, SchemaID=schema_id), SAP_DIN_ISO2)


def header(session_id: bytes = SESSION_ID) -> ct.MessageHeaderType:
    return ct.MessageHeaderType(SessionID=session_id, TimeStamp=1)


SET_UP = cm.SessionSetupRes(Header=header(), ResponseCode="OK_NewSessionEstablished", EVSEID="DE*X")


def offered(*energies: Energy) -> Session:
    session = Session(spoken(Wants(energies=energies or (Energy.DC,))))
    session.handle(at(0), Connected())
    return session


def talking() -> Session:
    """SessionSetupReq is sent."""
    session = offered()
    session.handle(at(0.1), agreed())
    return session


def over(commands: list[Any]) -> SessionOver:
    """The way it ended: told once, and closed."""
    assert [type(each) for each in commands if not isinstance(each, (Note, Heard))][-2:] == [SessionOver, Close]
    found: SessionOver = commands[-2]
    return found


# ---- agreement


def test_what_is_wanted_first_is_offered_first() -> None:
    session = Session(spoken(Wants(energies=(Energy.AC_BPT, Energy.DC, Energy.AC))))
    (send,) = session.handle(at(0), Connected())
    assert isinstance(send, Send)
    request = exi.decode(send.octets[8:], sap.NAMESPACE)
    assert isinstance(request, sap.supportedAppProtocolReq)
    assert [(each.ProtocolNamespace[-2:], each.Priority, each.SchemaID) for each in request.AppProtocol] == [("AC", 1, 1), ("DC", 2, 2)]
    assert {(each.VersionNumberMajor, each.VersionNumberMinor) for each in request.AppProtocol} == {(1, 0)}


def test_the_dialect_is_the_one_that_the_charger_chose() -> None:
    session = offered(Energy.AC, Energy.DC)
    heard, chosen, send = session.handle(at(0.1), agreed(2))
    assert isinstance(heard, Heard)
    assert chosen == DialectChosen("urn:iso:std:iso:15118:-20:DC")
    assert isinstance(send, Send)
    assert isinstance(send.message, cm.SessionSetupReq)
    assert session.stage is Stage.TALKING


def test_a_minor_deviation_is_an_agreement() -> None:
    session = offered()
    session.handle(at(0.1), agreed(1, "OK_SuccessfulNegotiationWithMinorDeviation"))
    assert session.stage is Stage.TALKING


@pytest.mark.parametrize(
    ("response", "why"),
    [
        (agreed(None, "Failed_NoNegotiation"), "no protocol in common"),
        (agreed(1, "Failed_NoNegotiation"), "no protocol in common"),
        (agreed(None), "not offered"),
        (agreed(0), "not offered"),
        (agreed(2), "not offered"),
        (agreed(255), "not offered"),
    ],
)
def test_no_agreement(response: Received, why: str) -> None:
    found = over(offered().handle(at(0.1), response))
    assert found.ending is Ending.ABORTED
    assert why in found.why


def test_anything_but_an_agreement() -> None:
    assert "8002" in over(offered().handle(at(0.1), frame(SET_UP))).why
    request = sap.supportedAppProtocolReq(
        AppProtocol=(sap.AppProtocolType(ProtocolNamespace="x", VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1),)
    )
    assert "from the charger" in over(offered().handle(at(0.1), frame(request, SAP_DIN_ISO2))).why


# ---- timers


def test_supportedAppProtocol_has_two_seconds() -> None:
    session = offered()
    assert session.deadline() == at(2.0).mono
    assert session.handle(at(1.9), TimerExpired()) == []
    assert over(session.handle(at(2.0), TimerExpired())).why == "no response in time"


def test_every_message_has_its_time() -> None:
    session = talking()
    assert session.deadline() == at(2.1).mono
    session.handle(at(0.2), frame(SET_UP))
    assert session.deadline() == at(2.2).mono
    assert over(session.handle(at(2.3), TimerExpired())).why == "no response in time"


def test_a_patient_vehicle_gives_each_message_more() -> None:
    session = Session(spoken(Wants(energies=(Energy.DC,), patience_s=10.0)))
    session.handle(at(0), Connected())
    session.handle(at(0.1), agreed())
    assert session.deadline() == at(10.1).mono
    session.handle(at(9.0), frame(SET_UP))
    assert session.deadline() == at(19.0).mono


def test_the_set_up_has_twenty_seconds_in_all() -> None:
    session = offered()
    session.handle(at(1.0), Changed())
    session._setup_by = at(1.5).mono
    session.handle(at(1.0), agreed())
    assert session.deadline() == at(1.5).mono


def test_what_waits_is_asked_in_its_time() -> None:
    """Authorisation goes on: the next question comes after a pause, and is made then."""
    wants = Wants(poll_s=0.25)
    session = Session(spoken(wants))
    session.handle(at(0), Connected())
    session.handle(at(0), agreed())
    session.handle(at(0), frame(SET_UP))
    methods = cm.AuthorizationSetupRes(
        Header=header(),
        ResponseCode="OK",
        AuthorizationServices=("EIM",),
        CertificateInstallationService=False,
        EIM_ASResAuthorizationMode=cm.EIM_ASResAuthorizationModeType(),
    )
    session.handle(at(0), frame(methods))
    ongoing = cm.AuthorizationRes(Header=header(), ResponseCode="OK", EVSEProcessing="Ongoing")
    assert [type(each) for each in session.handle(at(1.0), frame(ongoing))] == [Heard]
    assert session.deadline() == at(1.25).mono
    (send,) = session.handle(at(1.25), TimerExpired())
    assert isinstance(send, Send)
    assert isinstance(send.message, cm.AuthorizationReq)
    assert send.message.Header.TimeStamp == int(at(1.25).utc)
    session.handle(at(1.3), frame(ongoing))
    assert over(session.handle(at(1.3), frame(ongoing))).why == "a message that was not asked for"


# ---- ends


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"\x02", "no V2GTP"),
        (b"\x01\xfe\x80\x02\xff\xff\xff\xff", "payload of 4294967295"),
        (Frame(ISO20_MAIN, b"").octets(), ""),
        (Frame(ISO20_MAIN, b"\x80\xff\xff").octets(), ""),
        (Frame(SAP_DIN_ISO2, exi.encode(SET_UP, cm.NAMESPACE)).octets(), "8001 instead of 8002"),
        (Frame(0x8104, exi.encode(SET_UP, cm.NAMESPACE)).octets(), "8104 instead of 8002"),
        (Frame(0x1234, b"\x80").octets(), "1234"),
        (frame(cm.SessionSetupReq(Header=header(), EVCCID="x")).octets, "SessionSetupReq instead of SessionSetupRes"),
        (frame(cm.SessionStopRes(Header=header(), ResponseCode="OK")).octets, "SessionStopRes instead of SessionSetupRes"),
    ],
)
def test_what_is_no_answer(octets: bytes, why: str) -> None:
    session = talking()
    found = over(session.handle(at(0.2), Received(octets)))
    assert found.ending is Ending.ABORTED
    assert why in found.why
    assert session.stage is Stage.OVER
    assert session.deadline() is None
    assert session.handle(at(0.3), Received(octets)) == []
    assert session.handle(at(0.3), Lost()) == []


def test_octet_by_octet() -> None:
    session = talking()
    octets = frame(SET_UP).octets
    for each in range(len(octets) - 1):
        assert session.handle(at(0.2), Received(octets[each : each + 1])) == []
    assert isinstance(session.handle(at(0.2), Received(octets[-1:]))[-1], Send)


def test_two_answers_at_once() -> None:
    """The second answers the question that follows the first only by chance: here it is the wrong one."""
    found = over(talking().handle(at(0.2), Received(frame(SET_UP).octets * 2)))
    assert "SessionSetupRes instead of AuthorizationSetupRes" in found.why


@pytest.mark.parametrize("event", [Lost("cable cut"), Abort("cable cut")])
def test_ended_from_outside(event: Lost | Abort) -> None:
    for session in (offered(), talking()):
        assert over(session.handle(at(0.2), event)) == SessionOver(Ending.ABORTED, "cable cut")


def test_a_session_of_its_own() -> None:
    """Nothing is shared between two sessions of one vehicle."""
    made = spoken(Wants())
    assert isinstance(made[0], Spoken)
    first, second = made[0].make(""), made[0].make("")
    assert first is not second
    assert (first.session_id, first.drawing) == (b"", False)
