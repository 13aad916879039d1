"""Station, simulated board, EVs and a CSMS in one heap of moments: no asyncio, no sockets, no files. For campaigns over many lives.

What the runtime does with ports is done here in place: a commit is on disk at once (or refused), a frame reaches the CSMS and its answer
comes back after `latency_s`. Everything follows from the seed.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Any

from bench.ev.talking import Dial, HangUp, LinkFound, OnLine, Say, TalkingEv
from bench.heap_body import Body
from bench.heap_schemas import BySchema
from bench.plc.cables import Cables, HeardBy, mac_of
from certs.store import Store, StoreError
from chargepoint.commands import (
    CloseContactor,
    CloseLink,
    CloseVehicle,
    Command,
    Delete,
    OpenLink,
    Persist,
    Restart,
    SendOnPowerLine,
    SendText,
    SendToVehicle,
    ServeVehicle,
    StopProcess,
)
from chargepoint.config import StationConfig
from chargepoint.events import (
    DataLinkChanged,
    LinkDown,
    LinkUp,
    Persisted,
    PersistFailed,
    PoweredUp,
    PowerLineChanged,
    PowerLineHeard,
    TextReceived,
    TimerExpired,
    VehicleConnected,
    VehicleGone,
    VehicleSaid,
    VehicleServed,
)
from chargepoint.ocpp.boot_reason import boot_reason
from chargepoint.ocpp.vendors import Vendor
from chargepoint.runtime.ports.certificates import CertificatesPort, Keeper, OpenStore
from chargepoint.station import Station
from chargepoint.tick import Tick
from hal.sim.world import SimWorld
from hal.types import BoardInfo, Opens, Shape
from iso15118.protocols import PROTOCOLS

UTC_S = 1_767_225_600.0
"""2026-01-01T00:00:00Z, where time begins unless told otherwise."""
Csms = Callable[[str, str, Any], Any]
"""`(message id, action, payload) -> answer's payload`, or a list for a raw frame, or None for silence."""


def info_of(world: SimWorld, within_s: float = 0.5) -> BoardInfo:
    """The simulated board as a station sees it."""
    return BoardInfo(
        "sim", Shape.RAW, Opens(within_s), tuple(evse.options.info for evse in world.evses.values()), "chargepoint", "simulated"
    )


class Heap:
    """One life after the other on the same store and world: `start`, `run`, `cut` (the power goes), `start` again."""

    def __init__(
        self, config: StationConfig, world: SimWorld, csms: Csms | None = None, *, seed: str = "00", latency_s: float = 0.01
    ) -> None:
        self.config, self.world, self.csms, self.seed, self.latency_s = config, world, csms, seed, latency_s
        self.now = 0.0
        self.utc_offset = UTC_S
        self.vendors: tuple[Vendor, ...] = ()
        """Extensions that each life begins with."""
        self.store: dict[str, dict[str, Any]] = {}
        self.refuses_writes = ""
        """Why the store takes nothing; "" while it does."""
        self.reachable = True
        """Whether the CSMS can be reached."""
        self.station: Station | None = None
        self.commands: list[Command] = []
        """All that the station wanted, in order."""
        self.frames: list[list[Any]] = []
        """What the CSMS got."""
        self.ended: Command | None = None
        self.lives = 0
        self.watch: Callable[[Tick, object, tuple[Command, ...]], None] | None = None
        self.deaf: type | None = None
        """What the board says of this kind is not heard."""
        self.looks: list[Callable[[], None]] = []
        """Called after every moment, and when a contactor was told to close: what has to hold all the time."""
        self.hears: list[Callable[[object], None]] = []
        """Told every event, and every command when it has been carried out."""
        self._heap: list[tuple[float, int, int, Callable[[], None]]] = []
        self._order = count()
        self._attempt = 0
        self._linked = False
        self._body = Body(world, self.later, self._tell)
        self.verified = True
        """The vehicle's certificate is good."""
        self.chain_pem = ""
        """What it has shown, to the root."""
        self._serves: dict[int, bool] = {}
        self._lines: dict[int, tuple[int, TalkingEv]] = {}
        """EVSE -> number of its vehicle's connection, and the vehicle."""
        matching = [each.id for each in config.evses if each.has_modem]
        self.cables = Cables(matching) if matching else None
        """The power line, where vehicles are matched."""
        self._by_schema = BySchema()
        self.certificates: OpenStore | None = None
        """The store of certificates, opened anew in each life; without one its commands are refused."""
        self._keeper = Keeper(_no_store)
        self.connections = 0  # of vehicles, so far

    # ---- lives

    def start(self, reason: str = "PowerUp", **more: Any) -> None:
        """Power comes up, or the process begins anew (ApplicationReset), as it may have been ordered to."""
        self.world.advance(self.now)
        self.world.safe()
        self.lives += 1
        self.ended, self._linked = None, False
        self.station = Station(self.config, info_of(self.world), self.vendors)
        stored = json.loads(json.dumps(self.store))
        self.tell(PoweredUp(boot_reason(reason, stored), f"{self.seed}{self.lives:04x}", stored, **more))
        self._keeper = Keeper(self.certificates or _no_store)
        if self.certificates is not None:
            self.tell(self._keeper.read())
        for said in self.world.say_everything(self.now):
            self.tell(said)
        for evse in self.config.evses:
            if evse.v2g.interface:
                self.tell(VehicleServed(evse.id, ready=True))
            if self.cables is not None and evse.id in self.cables.evses:
                self.tell(PowerLineChanged(evse.id, ready=True, mac=mac_of(evse.id)))

    def cut(self) -> None:
        """The power goes: whatever was not on disk is gone."""
        self.station, self._heap = None, []
        for _, ev in self._lines.values():
            ev.lost("the charger is gone")
        self._lines, self._serves = {}, {}
        self.world.advance(self.now)
        self.world.safe()
        self.world.advance(self.now)

    def tell(self, event: object) -> tuple[Command, ...]:
        """One input, now."""
        if self.station is None or (self.deaf is not None and isinstance(event, self.deaf)):
            return ()
        tick = Tick(self.now, self.now + self.utc_offset)
        self._heard(event)
        commands = self.station.handle(tick, event)
        self.commands += commands
        for command in commands:
            self._carry_out(command)
            self._heard(command)
        if any(isinstance(each, CloseContactor) for each in commands):
            self._look()  # what was so then may be otherwise when the moment is over
        if self.watch:
            self.watch(tick, event, commands)
        return commands

    def _heard(self, what: object) -> None:
        for hear in self.hears:
            hear(what)

    def _look(self) -> None:
        for look in self.looks:
            look()

    def later(self, delay_s: float, action: Callable[[], None]) -> None:
        """Do this then, if the same life still goes on."""
        heapq.heappush(self._heap, (self.now + delay_s, next(self._order), self.lives, action))

    def run(self, seconds: float) -> None:
        """Let time pass."""
        until = self.now + seconds
        while (at := self._next()) is not None and at <= until:
            self.now = max(self.now, at)
            self._moment()
        self.now = until
        self._moment()

    def _next(self) -> float | None:
        parts = (
            self._heap[0][0] if self._heap else None,
            self.world.deadline(),
            self.station.deadline() if self.station else None,
            self.cables.deadline() if self.cables else None,
        )
        return min((at for at in parts if at is not None), default=None)

    def _moment(self) -> None:
        for said in self.world.advance(self.now):
            self.tell(said)
        self._network()
        if self.cables is not None:
            self._on_line(self.cables.due(self.now))
        while self._heap and self._heap[0][0] <= self.now:
            _, _, life, action = heapq.heappop(self._heap)
            if life == self.lives:
                action()
        if self.station and (due := self.station.deadline()) is not None and due <= self.now:
            self.tell(TimerExpired())
        self._network()
        self._look()

    # ---- the cable's network: a wire that takes LINE_S

    def _network(self) -> None:
        """What vehicles want done on it."""
        for evse_id, evse in self.world.evses.items():
            ev = evse.load
            line = self._lines.get(evse_id)
            if line is not None and line[1] is not ev:
                self._hung_up(evse_id, line[0])
            while isinstance(ev, TalkingEv) and ev.out:
                self._wants(evse_id, ev, ev.out.popleft())

    def _wants(self, evse_id: int, ev: TalkingEv, out: object) -> None:
        match out:
            case LinkFound():
                self.tell(DataLinkChanged(evse_id, ready=True))
            case OnLine(octets) if self.cables is not None:
                self._on_line(self.cables.sent(self.now, evse_id, octets, vehicle=True))
            case Dial() if self.station is not None and self._serves.get(evse_id):
                self.connections += 1
                number = self.connections
                self._lines[evse_id] = number, ev
                speaks = ev.vehicle.wants.protocols
                verified = self.verified and not (speaks and all(PROTOCOLS[each].only_plain for each in speaks))
                self.tell(VehicleConnected(evse_id, number, "fe80::1", "TLSv1.3" if verified else "", verified, self.chain_pem))
                self._at_ev(evse_id, number, ev.connected)
            case Say(octets) if (line := self._lines.get(evse_id)) is not None:
                number = line[0]
                self.later(LINE_S, lambda: self._tell(VehicleSaid(evse_id, number, octets)))
            case HangUp() if (line := self._lines.get(evse_id)) is not None:
                self._hung_up(evse_id, line[0])

    def _on_line(self, heard: list[HeardBy]) -> None:
        """Frames have arrived; a host takes them in a moment of their own."""
        for each in heard:
            self.later(0.0, partial(self._take_frame, each))

    def _take_frame(self, frame: HeardBy) -> None:
        evse = self.world.evses[frame.evse_id]
        if not frame.vehicle:
            self.tell(PowerLineHeard(frame.evse_id, frame.octets))
        elif isinstance(evse.load, TalkingEv):
            said = evse.advance(self.now)
            evse.load.on_line(frame.octets)
            for each in (*said, *evse.settle()):
                self.tell(each)
            self._network()

    def _hung_up(self, evse_id: int, number: int) -> None:
        del self._lines[evse_id]
        self.later(LINE_S, lambda: self._tell(VehicleGone(evse_id, number, "closed by the vehicle")))

    def _at_ev(self, evse_id: int, number: int, do: Callable[[], None]) -> None:
        """The vehicle hears of it, unless the line is another one by then; what follows on its pilot is seen at once."""

        def arrive() -> None:
            line = self._lines.get(evse_id)
            if line is not None and line[0] == number:
                said = self.world.evses[evse_id].advance(self.now)
                do()
                for each in (*said, *self.world.evses[evse_id].settle()):
                    self.tell(each)
                self._network()

        self.later(LINE_S, arrive)

    def _to_vehicle(self, command: SendToVehicle | CloseVehicle) -> None:
        line = self._lines.get(command.evse_id)
        if line is None or line[0] != command.connection:
            return
        number, ev = line
        if isinstance(command, SendToVehicle):
            self._at_ev(command.evse_id, number, lambda: ev.hear(command.octets))
            return

        def lose() -> None:
            del self._lines[command.evse_id]
            ev.lost("closed by the charger")

        self._at_ev(command.evse_id, number, lose)

    # ---- what the ports do

    def _carry_out(self, command: Command) -> None:
        match command:
            case Persist():
                self._persist(command)
            case OpenLink():
                self._attempt = command.attempt
                self.later(self.latency_s, lambda: self._connected(command))
            case CloseLink():
                self.later(0.0, lambda: self.lose_link("closed"))
            case SendText():
                self._sent(command.text)
            case ServeVehicle():
                self._serves[command.evse_id] = command.on
            case SendOnPowerLine() if self.cables is not None:
                self._on_line(self.cables.sent(self.now, command.evse_id, command.octets, vehicle=False))
            case SendToVehicle() | CloseVehicle():
                self._to_vehicle(command)
            case Restart() | StopProcess():
                self.ended = self.ended or command
            case _ if isinstance(command, CertificatesPort.takes):
                for said in self._keeper.carry_out(command):
                    self.later(0.0, partial(self._tell, said))
            case _:
                self._body.carry_out(self.now, command)

    def _persist(self, persist: Persist) -> None:
        if self.refuses_writes:
            self.later(0.0, partial(self._tell, PersistFailed(persist.refs, self.refuses_writes)))
            return
        for write in persist.writes:
            if isinstance(write, Delete):
                self.store.get(write.table, {}).pop(write.key, None)
            else:
                self.store.setdefault(write.table, {})[write.key] = json.loads(json.dumps(write.value))
        if persist.refs:
            self.later(0.0, lambda: self._tell(Persisted(persist.refs)))

    def _tell(self, event: object) -> None:
        self.tell(event)

    def _connected(self, command: OpenLink) -> None:
        if command.attempt != self._attempt:
            return
        if not self.reachable or self.csms is None:
            self.tell(LinkDown(command.attempt, "unreachable"))
            return
        self._linked = True
        self.tell(LinkUp(command.attempt, "ocpp2.1"))

    def lose_link(self, cause: Any = "closed") -> None:
        """The connection is gone."""
        if self._linked:
            self._linked = False
            self.tell(LinkDown(self._attempt, cause))

    def receive(self, frame: Any) -> None:
        """A frame of the CSMS."""
        if not self._linked:
            return
        self._by_schema.heard(frame)
        self.tell(TextReceived(frame if isinstance(frame, str) else json.dumps(frame)))

    def _sent(self, text: str) -> None:
        frame = json.loads(text)
        if not self._linked:
            return
        self.frames.append(frame)
        self._by_schema.check(frame)
        if frame[0] != 2 or self.csms is None:
            return
        answer = self.csms(frame[1], frame[2], frame[3])
        if answer is not None:
            reply = answer if isinstance(answer, list) else [3, frame[1], answer]
            attempt = self._attempt
            self.later(self.latency_s, lambda: self.receive(reply) if attempt == self._attempt else None)


def _no_store() -> Store:
    raise StoreError("Unsupported", "there is no store of certificates here")


LINE_S = 0.002
