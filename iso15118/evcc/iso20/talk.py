"""What one ISO 15118-20 session of a vehicle remembers, and what its functions say."""

from __future__ import annotations

import enum
from dataclasses import field
from typing import NamedTuple

from iso15118.connection import Now
from iso15118.evcc.iso20.table import Said
from iso15118.evcc.terms import Contract, EvWish, StopDrawing, Wants, WishTaken
from iso15118.frozen import dataclass
from iso15118.grid import GridCode
from iso15118.iso20.services import Way
from iso15118.iso20.values import part_W
from iso15118.messages import xmldsig as ds
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Ending, Energy, Payment, Told
from iso15118.waiting import Waiting

ONGOING_S = 60.0
"""V2G_EVCC_Ongoing_Timeout [K]."""


@dataclass(slots=True)
class Talk(Waiting):
    """One session. `wants` are the vehicle's, and are only read."""

    wants: Wants
    energies: tuple[Energy, ...]
    """What the agreed namespace lets be chosen."""

    session_id: bytes = b""
    offered: tuple[Payment, ...] = ()
    """Ways to pay, as the charger has them."""
    challenge: bytes = b""
    providers: tuple[str, ...] = ()
    """Whose contracts the charger takes; none: anyone's."""
    installable: bool = False
    """The charger passes on what we ask of a provisioning service, and we have what to ask with."""
    asked: bool = False
    """Contracts were asked for in this session, to the end."""
    got: int = 0
    """Contracts that came, good or not."""
    installed: list[Contract] = field(default_factory=list)
    unlisted: bool = False
    """No contract is preferred any more: the charger does not know its provider."""
    request: cm.CertificateInstallationReq | None = None
    """The last one: it is repeated as it was."""
    to_try: list[Contract] = field(default_factory=list)
    payment: Payment = Payment.EIM
    """What we pay with, or try to."""
    contract: Contract | None = None
    """Likewise."""
    shown: cm.AuthorizationReq | None = None
    """The request that shows it: it is repeated as it was."""
    dc: bool = False
    energy: Energy | None = None
    way: Way | None = None
    candidates: list[Energy] = field(default_factory=list)
    """Wanted and offered, best first: their details are asked for until one suits."""
    to_ask: list[int] = field(default_factory=list)
    """Services beside energy whose details are still to be asked for."""
    detail_of: int = 0
    """The service that was asked for last."""
    added: list[tuple[int, int]] = field(default_factory=list)
    """(service, parameter set) that are taken."""
    renegotiation: bool = False
    """The charger supports service renegotiation."""
    profile: cs.EVPowerProfileType | None = None
    drawing: bool = False
    close_told: bool = False
    rescheduling: bool = False
    """Schedules are exchanged once more, from the loop."""
    started: bool = False
    """PowerDelivery Start has said that the vehicle is ready."""
    welding_said_finished: bool = False
    loops: int = 0
    meter: ct.MeterInfoType | None = None
    receipt: ct.ReceiptType | None = None
    ending: cm.chargingSessionType = "Terminate"
    """ChargingSession of the SessionStop to come."""
    looped_at: float = 0.0
    """When the last request of the loop was made (mono)."""
    replanning: bool = False
    """Other schedules are asked for beside the loop."""
    grid: GridCode | None = None
    """The rules that hold."""
    status_at: float | None = None
    """ACDP: when we said last how we are (mono)."""


def our_W(talk: Talk, message: object, name: str) -> float | None:
    """A power of AC that the charger tells, as far as it is for the phases that we have: a charger that has no way for one phase means all of its own."""
    return part_W(message, name, talk.wants.phases, talk.way.phases if talk.way is not None else 0)


class Heard(NamedTuple):
    """What a response came to."""

    said: enum.Enum
    """`Said`, or a word of another way of energy transfer."""
    told: tuple[Told, ...] = ()
    wait_s: float = 0.0
    why: str = ""
    """In words, for FAILED and OVER."""
    over: Ending | None = None


def header(talk: Talk, now: Now, signature: ds.SignatureType | None = None) -> ct.MessageHeaderType:
    """Of a request: the charger's session id, or that of a paused session, and the time."""
    return ct.MessageHeaderType(
        SessionID=talk.session_id or talk.wants.resume or bytes(8), TimeStamp=max(0, int(now.utc)), Signature=signature
    )


def failed(why: str, *told: Told) -> Heard:
    """The session ends here, without a word to the charger."""
    return Heard(Said.FAILED, told, why=why)


def again(talk: Talk, *told: Told) -> Heard:
    """The same question once more, a little later."""
    return Heard(Said.AGAIN, told, talk.wants.poll_s)


def round_due_s(talk: Talk, now: Now) -> float:
    """So long until the next round of the loop."""
    return max(0.0, talk.wants.loop_s - (now.mono - talk.looped_at))


def leaving(talk: Talk, *told: Told, off: bool) -> Heard | None:
    """Where the vehicle wants to go: SessionStop, after PowerDelivery Stop where `off`. Without that there is no pause: it waits until there was power."""
    wish = talk.wants.wish
    if wish is EvWish.STOP or (off and wish is EvWish.PAUSE):
        talk.ending = "Pause" if wish is EvWish.PAUSE else "Terminate"
        return leave(talk, wish.value, WishTaken(wish), *told, off=off)
    return None


def leave(talk: Talk, why: str, *told: Told, off: bool) -> Heard:
    """No energy any more, and then the session's end (`Talk.ending`)."""
    stop = (StopDrawing(why),) if talk.drawing else ()
    talk.drawing = False
    return Heard(Said.OFF if off else Said.END, (*stop, *told))
