"""Cars that talk, on the simulated board: their drivers, and the network between them and the station, which is the line to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from bench.board.driver import NotPossible
from bench.ev import Ev
from certs.pki_files import PkiError
from chargepoint.commands import CloseVehicle, SendOnPowerLine, SendToVehicle, ServeVehicle
from chargepoint.events import DataLinkChanged, PowerLineHeard, VehicleConnected, VehicleGone, VehicleSaid, VehicleServed
from hal.sim.box import ResistorBox
from hal.sim.ports import SimBoard
from iso15118.protocols import PROTOCOLS

if TYPE_CHECKING:
    from bench.board.tree import Papers
    from bench.ev.talking import TalkingEv
    from bench.plc.cables import Cables, HeardBy
    from chargepoint.runtime.v2g_tls.secured import Secured

Kind = Literal["iso20-ac", "iso20-dc", "iso2-ac", "iso2-dc", "din"]
KINDS: tuple[Kind, ...] = ("iso20-ac", "iso20-dc", "iso2-ac", "iso2-dc", "din")
"""By what they speak."""
ENDS_WITHIN_S = 15.0
"""A driver who waits for the end of the session pulls the plug after this."""
KEPT = 200
"""Messages that a car remembers."""
PEER = "fe80::ec"
TLS_WANTED = "TLS"
"""What `VehicleConnected.tls` says on the line between the processes: which one it is, and whether it comes to that, is known later."""
ENERGY_FOR_S = 60.0
"""So long a car of the control port draws."""
_TIMES = ("stops_at", "leaves_at", "unplugs_at")
"""Of a `Car`."""
ToStation = Callable[[object], None]
"""Takes an event for the station's one door."""


@dataclass(slots=True)
class Car:
    """One that is plugged in, and what its driver will do by himself. Times are the loop's."""

    ev: TalkingEv
    draws_s: float | None = None
    stops_at: float | None = None
    leaves_at: float | None = None
    unplugs_at: float | None = None
    """At the end of its session, or then."""
    connection: int | None = None
    dials: bool = False
    """It wants to connect, and nobody is served yet."""
    papers: Papers | None = None
    """It pays by contract, over TLS."""
    secured: Secured | None = None
    """TLS of the connection."""


class Vehicles:
    """All of one board. `tick` has to be called now and then."""

    def __init__(self, board: SimBoard, tell: ToStation, modems: tuple[int, ...] = (), certs_dir: str = "") -> None:
        self.board, self.tell, self.certs_dir = board, tell, certs_dir
        self._cables: Cables | None = None
        self._due: asyncio.TimerHandle | None = None
        if modems:
            from bench.plc.cables import Cables

            self._cables = Cables(modems)
        self.cars: dict[int, Car] = {}
        self.served: set[int] = set()
        """EVSEs at which the station takes a connection now."""
        self.talking: set[int] = set()
        """EVSEs at which it has been told to expect vehicles that talk."""
        self._numbers = count(1)

    @property
    def now_s(self) -> float:
        """The loop's."""
        return asyncio.get_running_loop().time()

    # ---- drivers

    def plug_in(
        self,
        evse_id: int,
        kind: Kind,
        *,
        draws_s: float | None = None,
        leaves_s: float | None = None,
        by_contract: bool = False,
        phases: int = 3,
    ) -> None:
        """A car with a battery at 30 %, and so many phases, AC. Raises NotPossible where another one is, or where it does not fit; PkiError where it has no contract."""
        from bench.ev.talking import TalkingEv
        from bench.v2g.model import CITY, COMPACT, Vehicle
        from iso15118.terms import Control, Energy

        evse = self.board.world.evses[evse_id]
        if evse.load is not None:
            raise NotPossible(f"EVSE {evse_id}: a car is plugged in already")
        dc = "dc" in PROTOCOLS[kind].modes
        if (evse.stage is not None) is not dc:
            raise NotPossible(f"EVSE {evse_id}: has {'a' if evse.stage is not None else 'no'} DC stage, and the car wants {kind}")
        vehicle = Vehicle(CITY if phases == 1 else COMPACT, soc=30.0)
        vehicle.wants.protocols, vehicle.wants.energies = (kind,), (Energy.DC if dc else Energy.AC,)
        vehicle.wants.controls = (Control.DYNAMIC, Control.SCHEDULED)
        ev = TalkingEv(vehicle, self.now_s)
        papers = self._papers(kind) if by_contract else None
        self._take(evse_id, Car(ev, draws_s, leaves_at=None if leaves_s is None else self.now_s + leaves_s, papers=papers))
        self.board.plug(evse_id, ev)

    def _take(self, evse_id: int, car: Car) -> None:
        """It is on this cable, and may talk."""
        from bench.ev.outbox import Outbox

        car.ev.out = Outbox(lambda: asyncio.get_running_loop().call_soon(self._flush, evse_id))
        if self._cables is not None:
            car.ev.slac = self._cables.vehicle(evse_id)
        if car.papers is not None:
            car.papers.fill(car.ev.vehicle.wants)
            car.ev.utc_s = time.time() - self.now_s  # its certificates are of this day, not of a bench's
        self.cars[evse_id] = car
        self._serves(evse_id, ready=True)

    def _papers(self, kind: str) -> Papers:
        """Of a car that speaks this. Raises PkiError."""
        from bench.board.tree import papers

        if not self.certs_dir:
            raise PkiError(
                "there is no certs_dir, in which the vehicle's own certificates would be (client/mo, client/vehicle or client/oem)"
            )
        return papers(Path(self.certs_dir), older=PROTOCOLS[kind].unverified)

    def plain(self, evse_id: int) -> None:
        """The car that is plugged in now cannot talk; the station need not wait for it."""
        if evse_id in self.talking and self.board.world.evses[evse_id].stage is None:
            self._serves(evse_id, ready=False)

    def _serves(self, evse_id: int, *, ready: bool) -> None:
        (self.talking.add if ready else self.talking.discard)(evse_id)
        self.tell(VehicleServed(evse_id, ready, "" if ready else "the car on the bench does not talk"))

    def plug_out(self, evse_id: int) -> None:
        """The session first, then the plug. Where no such car is, nothing happens."""
        car = self.cars.get(evse_id)
        if car is not None:
            self._stop(car)
            car.unplugs_at = self.now_s + ENDS_WITHIN_S

    def pause(self, evse_id: int) -> None:
        """The car pauses its session. Raises NotPossible without one, and where what it speaks knows no pause."""
        from iso15118.evcc.terms import EvWish

        car = self.cars.get(evse_id)
        if car is None or not car.ev.online:
            raise NotPossible(f"EVSE {evse_id}: no car with a session is plugged in")
        if car.ev.vehicle.wants.protocols == ("din",):
            raise NotPossible(f"EVSE {evse_id}: the car speaks DIN 70121, which knows no pause")
        car.ev.vehicle.wants.wish = EvWish.PAUSE

    def resume(self, evse_id: int) -> None:
        """It wakes the charger by B-C-B, and comes back to its session. Raises NotPossible without a car that has paused."""
        car = self.cars.get(evse_id)
        if car is None or car.ev.online:
            raise NotPossible(f"EVSE {evse_id}: no car that has paused is plugged in")
        self._live(car, car.ev.toggle_bcb)

    @staticmethod
    def _stop(car: Car) -> None:
        from iso15118.evcc.terms import EvWish

        car.ev.vehicle.wants.wish = EvWish.STOP

    def tick(self) -> None:
        """Do what is due."""
        for evse_id, car in list(self.cars.items()):
            ev = car.ev
            del ev.messages[:-KEPT], ev.vehicle.log[:-KEPT]
            if self.board.world.evses[evse_id].load is not ev:
                self._hung_up(evse_id, car, "unplugged")
                del self.cars[evse_id]
                if self._cables is not None:
                    self._cables.gone(evse_id)
            elif (car.unplugs_at is not None and (not ev.online or self.now_s >= car.unplugs_at)) or self._reached(car.leaves_at):
                self.board.unplug(evse_id)
            elif car.draws_s is not None and car.stops_at is None and ev.vehicle.drawing:
                car.stops_at = self.now_s + car.draws_s
            elif self._reached(car.stops_at):
                car.draws_s = car.stops_at = None
                self._stop(car)

    def _reached(self, at: float | None) -> bool:
        return at is not None and self.now_s >= at

    # ---- over a restart of the process

    def save(self) -> dict[str, Any]:
        """What their drivers will do, as JSON values, times relative to now; the cars themselves are saved with the world."""
        now_s = self.now_s
        return {
            str(evse_id): {
                "draws_s": car.draws_s,
                "by_contract": car.papers is not None,
                **{f"{name}_s": None if (at := getattr(car, name)) is None else at - now_s for name in _TIMES},
            }
            for evse_id, car in self.cars.items()
        }

    def restore(self, saved: dict[str, Any]) -> None:
        """Whatever car on a cable can talk does so again. Raises KeyError, TypeError, ValueError for another shape.

        One whose contract is gone meanwhile pays otherwise.
        """
        for evse_id, evse in self.board.world.evses.items():
            if evse.load is None or isinstance(evse.load, (Ev, ResistorBox)):
                continue
            from bench.ev.talking import TalkingEv

            if isinstance(evse.load, TalkingEv):
                plan = saved.get(str(evse_id), {})
                draws_s = plan.get("draws_s")
                car = Car(evse.load, None if draws_s is None else float(draws_s))
                for name in _TIMES:
                    left_s = plan.get(f"{name}_s")
                    setattr(car, name, None if left_s is None else self.now_s + float(left_s))
                if plan.get("by_contract"):
                    with contextlib.suppress(PkiError):
                        car.papers = self._papers(evse.load.vehicle.wants.protocols[0])
                self._take(evse_id, car)

    # ---- the network

    def begin(self) -> None:
        """The station begins anew, and serves nobody yet; cars begin anew with it, also those whose session had ended in order."""
        from iso15118.terms import Ending

        self.served.clear()
        for car in self.cars.values():
            if car.connection is None and car.ev.over is not None and car.ev.over.ending is Ending.TERMINATED:
                car.ev.over = None
            if car.connection is not None:
                car.connection = car.secured = None
                self._live(car, partial(car.ev.lost, "the charger is gone"))

    def carry_out(self, command: object) -> None:
        """What the station wants of it."""
        match command:
            case ServeVehicle(evse_id, on):
                (self.served.add if on else self.served.discard)(evse_id)
                if (waits := self.cars.get(evse_id)) is not None and waits.dials and on:
                    self._connect(evse_id, waits)
            case SendOnPowerLine(evse_id, octets) if self._cables is not None:
                self._on_line(self._cables.sent(self.now_s, evse_id, octets, vehicle=False))
            case SendToVehicle(evse_id, connection, octets) if (car := self._on(evse_id, connection)) is not None:
                self._hears(evse_id, car, octets)
            case CloseVehicle(evse_id, connection) if (car := self._on(evse_id, connection)) is not None:
                car.connection = car.secured = None
                self._live(car, partial(car.ev.lost, "closed by the charger"))

    def _on(self, evse_id: int, connection: int) -> Car | None:
        car = self.cars.get(evse_id)
        return car if car is not None and car.connection == connection else None

    def _live(self, car: Car, do: Callable[[], None]) -> None:
        """Something reaches a car; what follows on its pilot is seen at once."""
        self.board.look()
        do()
        self.board.changed()

    def _flush(self, evse_id: int) -> None:
        """What a car wants done."""
        from bench.ev.talking import Dial, HangUp, LinkFound, OnLine, Say

        car = self.cars.get(evse_id)
        while car is not None and car.ev.out:
            match car.ev.out.popleft():
                case LinkFound():
                    self.tell(DataLinkChanged(evse_id, ready=True))
                case OnLine(octets) if self._cables is not None:
                    self._on_line(self._cables.sent(self.now_s, evse_id, octets, vehicle=True))
                case Dial():
                    car.dials = True
                    if evse_id in self.served:
                        self._connect(evse_id, car)
                case Say(octets) if car.connection is not None:
                    self._says(evse_id, car, octets if car.secured is None else car.secured.wrapped(octets))
                case HangUp():
                    self._says(evse_id, car, b"" if car.secured is None else car.secured.closing())
                    self._hung_up(evse_id, car, "closed by the vehicle")

    def _on_line(self, heard: list[HeardBy]) -> None:
        """Frames have arrived; each host takes its own in a turn of its own."""
        loop = asyncio.get_running_loop()
        for each in heard:
            loop.call_soon(self._take_frame, each)
        if self._due is not None:
            self._due.cancel()
        due = self._cables.deadline() if self._cables is not None else None
        self._due = None if due is None else loop.call_at(due, self._line_due)

    def _line_due(self) -> None:
        self._due = None
        if self._cables is not None:
            self._on_line(self._cables.due(self.now_s))

    def _take_frame(self, frame: HeardBy) -> None:
        if not frame.vehicle:
            self.tell(PowerLineHeard(frame.evse_id, frame.octets))
        elif (car := self.cars.get(frame.evse_id)) is not None:
            self._live(car, partial(car.ev.on_line, frame.octets))

    def _connect(self, evse_id: int, car: Car) -> None:
        car.dials, car.connection = False, next(self._numbers)
        if car.papers is None:
            self.tell(VehicleConnected(evse_id, car.connection, PEER))
            self._live(car, car.ev.connected)
            return
        from chargepoint.runtime.v2g_tls.secured import Secured
        from chargepoint.runtime.v2g_tls.server import open_engine

        car.secured = Secured(open_engine(car.papers.plan))
        self.tell(VehicleConnected(evse_id, car.connection, PEER, TLS_WANTED))
        self._says(evse_id, car, car.secured.pending())

    def _says(self, evse_id: int, car: Car, octets: bytes) -> None:
        if octets and car.connection is not None:
            self.tell(VehicleSaid(evse_id, car.connection, octets))

    def _hears(self, evse_id: int, car: Car, octets: bytes) -> None:
        """TLS is taken off; its session begins when that is agreed on."""
        secured = car.secured
        if secured is not None:
            was_ready = secured.ready
            try:
                octets = secured.received(octets)
            except ConnectionError as error:
                self._says(evse_id, car, secured.pending())
                self._hung_up(evse_id, car, str(error))
                self._live(car, partial(car.ev.lost, str(error)))
                return
            self._says(evse_id, car, secured.pending())
            if secured.ready and not was_ready:
                self._live(car, car.ev.connected)
        if octets:
            self._live(car, partial(car.ev.hear, octets))

    def _hung_up(self, evse_id: int, car: Car, why: str) -> None:
        connection, car.connection, car.secured = car.connection, None, None
        if connection is not None:
            self.tell(VehicleGone(evse_id, connection, why))
