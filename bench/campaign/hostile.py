"""Vehicles at a station's cable that mean no good: what they send is wrong by name or spoilt, their pilot lies, and things happen at any moment."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any

from bench.ev.talking import Say, TalkingEv
from bench.heap import Heap
from bench.v2g.misbehave import CATALOGUE, misbehaving
from bench.v2g.model import SPECS, Vehicle
from chargepoint.events import (
    DataLinkChanged,
    FaultAcknowledged,
    LimitSet,
    StopRequested,
    SupplyStopped,
    VehicleConnected,
    VehicleGone,
    VehicleSaid,
    VehicleServed,
)
from hal.types import TokenPresented
from iso15118 import exi, v2gtp
from iso15118.connection import Command, Send
from iso15118.evcc.terms import EvWish, Wants
from iso15118.iso20.wire import RESPONSES, least
from iso15118.messages import sap
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_types as ct
from iso15118.terms import Control, Energy

WRONG = sorted(CATALOGUE)
KINDS = ("", *(kind.__name__ for kind in RESPONSES))
OLDER = (
    "", "ServiceDiscoveryReq", "ServicePaymentSelectionReq", "PaymentServiceSelectionReq", "ContractAuthenticationReq", "AuthorizationReq",
    "ChargeParameterDiscoveryReq", "CableCheckReq", "PreChargeReq", "PowerDeliveryReq", "CurrentDemandReq", "ChargingStatusReq", "WeldingDetectionReq",
    "SessionStopReq",
)  # fmt: skip
"""Requests of DIN 70121 and ISO 15118-2."""
ENERGIES = {False: (Energy.AC, Energy.AC_BPT), True: (Energy.DC, Energy.DC_BPT)}
FAULTS = {
    False: ("RcdTrip", "GroundFailure", "EmergencyStop"),
    True: ("GroundFailure", "EmergencyStop", "InsulationLow", "StageStuck", "StageNoRise"),
}
STRANGERS = 100_000
"""Numbers of connections from here on are somebody's who is not on this cable."""


class HostileEv(TalkingEv):
    """`names`: of the catalogue of misbehaviours, one around the other; `spoils`: how often octets are other than they should be."""

    honest = False

    def __init__(self, vehicle: Vehicle, now_s: float, dice: random.Random, names: tuple[str, ...], spoils: float) -> None:
        self.dice, self.names, self.spoils = dice, names, spoils
        self.left = False
        super().__init__(vehicle, now_s)

    def give_up(self) -> None:
        """It says nothing more, hangs up nothing, and does not come back."""
        self.left = True
        self.mute()
        self.modem = self._linked = False

    def connected(self) -> None:
        super().connected()
        if self.left:
            self.mute()

    def session(self) -> Any:
        session: Any = super().session()
        for name in self.names:
            kinds = OLDER if self.vehicle.wants.protocols else KINDS
            session = misbehaving(name, session, self.dice.randrange(1 << 30), self.dice.choice(kinds))
        return session

    def _carry_out(self, command: Command) -> None:
        if not isinstance(command, Send):
            super()._carry_out(command)
            return
        self._says(command.message)
        for octets in self._spoilt(command.octets):
            self.out.append(Say(octets))

    def _spoilt(self, octets: bytes) -> Iterator[bytes]:
        """Flipped bits, an end or a beginning that is cut off, pieces, twice, something before it."""
        dice = self.dice
        if dice.random() >= self.spoils:
            yield octets
            return
        at = dice.randrange(len(octets))
        match dice.randrange(6):
            case 0:
                flipped = bytearray(octets)
                for _ in range(dice.choice((1, 1, 2, 8))):
                    flipped[dice.randrange(len(flipped))] ^= 1 << dice.randrange(8)
                yield bytes(flipped)
            case 1:
                yield octets[:at]
            case 2:
                yield octets[at:]
            case 3:
                yield octets[:at]
                yield octets[at:]
            case 4:
                yield octets + octets
            case _:
                yield dice.randbytes(dice.randrange(1, 30)) + octets


def somebody(heap: Heap, dice: random.Random, *, dc: bool, protocols: tuple[str, ...] = ()) -> HostileEv:
    """A vehicle of any kind, with one to three misbehaviours, or none but its octets. `protocols`: of DIN 70121 and ISO 15118-2, one of which it speaks."""
    wants = Wants(
        energies=(dice.choice(ENERGIES[dc]),), controls=(dice.choice(list(Control)),), meter=True, loops=dice.choice((0, 1, 20, 100)),
        wish=dice.choice((None, None, *EvWish)), added_services=dice.choice(((), (65,))), narrow=dice.random() < 0.2,
        welding_detection=dice.random() < 0.8, poll_s=dice.choice((0.1, 0.5)), side_streams=dice.random() < 0.5,
    )  # fmt: skip
    if protocols:
        wants.protocols, wants.energies = (dice.choice(protocols),), (Energy.DC if dc else Energy.AC,)
        wants.bare_stop, wants.error = dice.random() < 0.3, dice.choice(("NO_ERROR", "NO_ERROR", "FAILED_RESSTemperatureInhibit"))
    vehicle = Vehicle(dice.choice(list(SPECS.values())), soc=dice.uniform(5.0, 95.0), give=dice.random() < 0.2, wants=wants)
    names = tuple(dice.sample(WRONG, dice.choice((0, 1, 1, 1, 2, 3))))
    return HostileEv(vehicle, heap.now, dice, names, dice.choice((0.0, 0.0, 0.01, 0.1) if names else (0.01, 0.1, 0.5)))


class Deeds:
    """What happens at one EVSE at any moment; `mend` makes an end of it."""

    def __init__(self, heap: Heap, dice: random.Random, card: str, *, dc: bool, protocols: tuple[str, ...] = ()) -> None:
        self.heap, self.dice, self.card, self.dc, self.protocols = heap, dice, card, dc, protocols
        self.evse = heap.world.evses[1]
        self.strangers = STRANGERS
        self.done: list[str] = []
        self.all: dict[str, Callable[[], object]] = {
            "nothing": lambda: None, "s2": self._s2, "s2 again": self._s2, "unplug": self._unplug, "bcb": self._bcb, "link": self._link, "card": self._card,
            "card again": self._card, "stop": lambda: heap.tell(StopRequested(1, "Local")), "limit": self._limit, "fault": self._fault,
            "supply": lambda: heap.tell(SupplyStopped(1, dice.random() < 0.7, "test")), "network": self._network, "octets": self._octets,
            "stranger": self._stranger, "hung up": self._hung_up,
        }  # fmt: skip

    def one(self) -> None:
        """Something, and a while."""
        name = self.dice.choice(list(self.all))
        self.done.append(name)
        self.all[name]()
        self.heap.run(0.0)
        self.heap.run(self.dice.choice((0.0, 0.01, 0.1, 0.5, 1.0, 3.0, 10.0)))

    def mend(self) -> None:
        """All is as it should be, but for the vehicle."""
        self.heap.world.clear(1)
        self.heap.tell(FaultAcknowledged(1))
        self.heap.tell(LimitSet(1, "csms", None, None))
        self.heap.tell(SupplyStopped(1, stopped=False, cause="test"))
        self.heap.tell(VehicleServed(1, ready=True))

    @property
    def ev(self) -> TalkingEv | None:
        """On the cable."""
        load = self.evse.load
        return load if isinstance(load, TalkingEv) else None

    def plug(self) -> None:
        """Somebody comes."""
        self.evse.plug(somebody(self.heap, self.dice, dc=self.dc, protocols=self.protocols))
        self.heap.run(0.0)

    def _unplug(self) -> None:
        self.evse.unplug_vehicle()
        self.heap.run(self.dice.choice((0.0, 0.005, 0.1, 1.0)))
        self.plug()

    def _s2(self) -> None:
        if self.ev is not None:
            self.ev.s2 = not self.ev.s2

    def _bcb(self) -> None:
        if self.ev is not None:
            self.ev.toggle_bcb()

    def _link(self) -> None:
        self.heap.tell(DataLinkChanged(1, ready=False))

        def found() -> None:
            self.heap.tell(DataLinkChanged(1, ready=True))

        self.heap.later(self.dice.uniform(0.0, 5.0), found)

    def _card(self) -> None:
        self.heap.tell(TokenPresented(self.card))

    def _limit(self) -> None:
        amps, watts = self.dice.choice(((None, None), (0.0, None), (10.0, None), (None, 0.0), (None, 3_000.0)))
        self.heap.tell(LimitSet(1, "csms", amps, watts))

    def _fault(self) -> None:
        self.heap.world.inject(1, self.dice.choice(FAULTS[self.dc]))
        self.heap.run(self.dice.choice((0.0, 0.5, 5.0)))
        self.mend()

    def _network(self) -> None:
        self.heap.tell(VehicleServed(1, ready=False, why="no link-local address"))
        self.heap.run(self.dice.choice((0.0, 1.0, 5.0)))
        self.heap.tell(VehicleServed(1, ready=True))

    # ---- on the wire

    def _number(self) -> int:
        """Of a connection: one that may stand, or nobody's."""
        return self.dice.choice((self.heap.connections, self.strangers, 0))

    def _octets(self) -> None:
        body = self.dice.randbytes(self.dice.randrange(40))
        head = self.dice.choice((b"", b"\x01\xfe\x80\x02" + len(body).to_bytes(4, "big")))
        self.heap.tell(VehicleSaid(1, self._number(), head + body))

    def _hung_up(self) -> None:
        self.heap.tell(VehicleGone(1, self._number(), "reset by peer"))

    def _stranger(self) -> None:
        """Another connection beside: it says nothing, or agrees on a protocol, or begins a session."""
        self.strangers += 1
        number = self.strangers
        self.heap.tell(VehicleConnected(1, number, "fe80::bad", "TLSv1.3", verified=self.dice.random() < 0.8))
        opening = OPENING[self.dc]
        for octets in opening[: self.dice.randrange(len(opening) + 1)]:
            self.heap.tell(VehicleSaid(1, number, octets))


def _opening(energy: str) -> tuple[bytes, bytes]:
    """The first two requests of a session: supportedAppProtocolReq, SessionSetupReq."""
    offer = sap.AppProtocolType(
        ProtocolNamespace=f"urn:iso:std:iso:15118:-20:{energy}", VersionNumberMajor=1, VersionNumberMinor=0, SchemaID=1, Priority=1
    )
    agree = exi.encode(sap.supportedAppProtocolReq(AppProtocol=(offer,)), sap.NAMESPACE)
    setup = least(cm.SessionSetupReq, Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=0), EVCCID="WMIV1234567890ABCDEX")
    begin = exi.encode(setup, v2gtp.SCHEMA_SETS[v2gtp.ISO20_MAIN])
    return v2gtp.Frame(v2gtp.SAP_DIN_ISO2, agree).octets(), v2gtp.Frame(v2gtp.ISO20_MAIN, begin).octets()


OPENING = {False: _opening("AC"), True: _opening("DC")}
