"""Stations and vehicles on a simulated power line; and either of them alone, with the frames of the other made by hand."""

from __future__ import annotations

import random
from typing import Any

from bench.plc.line import CLOSE, Line, Noise, Path
from bench.plc.modem import SimModem
from bench.plc.site import Site
from iso15118.slac import mme
from iso15118.slac.ev import Ev
from iso15118.slac.ev_state import EvOptions
from iso15118.slac.ev_table import State
from iso15118.slac.evse import Evse
from iso15118.slac.evse_state import Options
from iso15118.slac.keys import nid_of
from iso15118.slac.layout import Mme
from iso15118.slac.mme import BROADCAST, GROUPS, Frame
from iso15118.slac.modem_table import Kind
from iso15118.slac.signals import Begin, PilotSeen

RUN = bytes.fromhex("1122334455667788")
KEY = bytes(range(1, 17))


def evse_mac(number: int = 0) -> bytes:
    return bytes.fromhex("98ED5C0A0B") + bytes((number,))


def ev_mac(number: int = 0) -> bytes:
    return bytes.fromhex("00019A1B2C") + bytes((number,))


def modem_mac(number: int, *, ev: bool = False) -> bytes:
    return bytes.fromhex("00B0524E") + bytes((2 if ev else 1, number))


EVSE, EV, STRANGER = evse_mac(), ev_mac(), bytes.fromhex("00A0FC000001")
MODEM = modem_mac(0)


def site(
    *,
    evses: int = 1,
    evs: int = 1,
    seed: int = 1,
    noise: Noise | None = None,
    paths: dict[tuple[str, str], Path | None] | None = None,
    elsewhere: Path | None = CLOSE,
    evse: dict[str, Any] | None = None,
    ev: dict[str, Any] | None = None,
    kind: Kind = Kind.QUALCOMM,
    ready: bool = True,
) -> Site:
    """So many of both, from "evse0" and "ev0" on; with their modems ready."""
    dice = random.Random(seed)
    modems = {f"evse{n}": SimModem(modem_mac(n), kind) for n in range(evses)}
    modems |= {f"ev{n}": SimModem(modem_mac(n, ev=True), kind, profiles=False) for n in range(max(evs, 1))}
    made = Site(Line(modems, dice.random, paths=paths, elsewhere=elsewhere, noise=noise))
    for n in range(evses):
        made.add(f"evse{n}", Evse(Options(evse_mac(n), **(evse or {})), dice.randbytes))
    for n in range(evs):
        made.add(f"ev{n}", Ev(EvOptions(mac=ev_mac(n), **(ev or {})), dice.randbytes))
    if ready:
        made.run(5.0)
    return made


def evse_of(at: Site, port: str = "evse0") -> Evse:
    machine = at.hosts[port].machine
    assert isinstance(machine, Evse)
    return machine


def ev_of(at: Site, port: str = "ev0") -> Ev:
    machine = at.hosts[port].machine
    assert isinstance(machine, Ev)
    return machine


def names(messages: list[tuple[float, Frame]]) -> list[str]:
    return [type(frame.mme).__name__ for _, frame in messages]


class Car:
    """Frames by hand, at a station that is alone with its modem; 5 % is shown."""

    def __init__(self, at: Site | None = None, mac: bytes = EV, run: bytes = RUN, **evse: Any) -> None:
        self.site, self.mac, self.run = at or site(evs=0, evse=evse), mac, run
        self.evse = evse_of(self.site)
        self._read = 0
        if not self.evse.begun:
            self.site.tell("evse0", PilotSeen("B"))
            self.site.tell("evse0", Begin())
        self.said()

    def says(self, message: Mme, to: bytes = EVSE) -> list[Mme]:
        """And what it gets at once."""
        self.said()
        self.site.hear("evse0", Frame(to, self.mac, message))
        return self.said()

    def said(self) -> list[Mme]:
        """What the station has said to it since."""
        sent = self.site.sent("evse0")
        new, self._read = sent[self._read :], len(sent)
        return [frame.mme for _, frame in new if frame.destination == self.mac]

    def wait(self, for_s: float) -> list[Mme]:
        self.said()
        self.site.run(for_s)
        return self.said()

    def modem_says(self, message: Mme, source: bytes = MODEM) -> list[Mme]:
        self.said()
        self.site.hear("evse0", Frame(EVSE, source, message))
        return self.said()

    def parm(self) -> list[Mme]:
        return self.says(mme.SlacParmReq(run_id=self.run), BROADCAST)

    def start(self) -> list[Mme]:
        return self.says(mme.StartAttenCharInd(forwarding_sta=self.mac, run_id=self.run), BROADCAST)

    def profile(self, count: int = 10, dB: int = 4, source: bytes = MODEM) -> list[Mme]:
        told = mme.AttenProfileInd(pev_mac=self.mac, aag=bytes([dB] * GROUPS))
        return [each for _ in range(count) for each in self.modem_says(told, source)]

    def rsp(self, result: int = 0) -> list[Mme]:
        return self.says(mme.AttenCharRsp(source_address=self.mac, run_id=self.run, result=result))

    def validate(self, timer: int = 0) -> list[Mme]:
        return self.says(mme.ValidateReq(timer=timer))

    def match(self) -> list[Mme]:
        return self.says(mme.SlacMatchReq(pev_mac=self.mac, evse_mac=EVSE, run_id=self.run))

    def to_known(self) -> Car:
        self.parm()
        self.start()
        self.profile()
        self.rsp()
        return self

    def whole(self) -> mme.SlacMatchCnf:
        """From the first frame to the key."""
        (answer,) = self.to_known().match()
        assert isinstance(answer, mme.SlacMatchCnf)
        return answer


class Station:
    """Frames by hand, at a vehicle that is alone with its modem."""

    def __init__(self, at: Site | None = None, mac: bytes = EVSE, **ev: Any) -> None:
        self.site, self.mac = at or site(evses=1, evs=1, ev=ev), mac
        self.site.hosts.pop("evse0", None)
        self.ev = ev_of(self.site)
        self._read = len(self.site.sent("ev0"))

    def said(self) -> list[Mme]:
        """What the vehicle has said on the line since."""
        sent = self.site.sent("ev0")
        new, self._read = sent[self._read :], len(sent)
        return [frame.mme for _, frame in new if frame.destination != mme.LOCAL]

    def says(self, message: Mme, source: bytes | None = None, to: bytes = EV) -> list[Mme]:
        self.said()
        self.site.hear("ev0", Frame(to, source or self.mac, message))
        return self.said()

    def wait(self, for_s: float) -> list[Mme]:
        self.said()
        self.site.run(for_s)
        return self.said()

    def state(self) -> State:
        return self.ev.state

    def begin(self) -> list[Mme]:
        self.said()
        self.site.tell("ev0", Begin())
        return self.said()

    def parm(self, **changed: Any) -> list[Mme]:
        return self.says(mme.SlacParmCnf(**{"forwarding_sta": EV, "run_id": self.ev.run.run_id, **changed}))

    def tell(self, dB: int, *, source: bytes | None = None, **changed: Any) -> list[Mme]:
        fields = {"source_address": EV, "run_id": self.ev.run.run_id, "num_sounds": 10, "aag": bytes([dB] * GROUPS), **changed}
        return self.says(mme.AttenCharInd(**fields), source)

    def validated(self, result: int, toggles: int = 0, source: bytes | None = None) -> list[Mme]:
        return self.says(mme.ValidateCnf(result=result, toggle_num=toggles), source)

    def key(self, *, source: bytes | None = None, to: bytes = EV, **changed: Any) -> list[Mme]:
        fields = {"pev_mac": EV, "evse_mac": self.mac, "run_id": self.ev.run.run_id, "nid": nid_of(KEY), "nmk": KEY, **changed}
        return self.says(mme.SlacMatchCnf(**fields), source, to)

    def to_listening(self) -> Station:
        self.begin()
        self.parm()
        self.wait(0.45)
        return self

    def to_validating(self, dB: int = 15) -> Station:
        self.to_listening().tell(dB)
        self.wait(1.0)
        return self

    def join(self, key: bytes = KEY) -> Station:
        """Its modem has the key as well."""
        self.site.line.modems["evse0"].nmk = key
        return self
