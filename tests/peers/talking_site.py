"""A station at a real cable: run in the charger's namespace, its car on the simulated board, whose network is in the namespace at the other end.

What it does is one JSON object on the command line (`Given`); it logs what the station logs, and ends with a line RESULT and a JSON object.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.csms import EmbeddedCsms
from bench.ev.outbox import Outbox
from bench.ev.talking import Dial, HangUp, Say, TalkingEv
from bench.v2g.model import COMPACT, Vehicle
from chargepoint import codec
from chargepoint.commands import Command, Log, SendText
from chargepoint.config import CsmsConfig, DcConfig, EvseConfig, SlacConfig, StationConfig, TariffConfig, TariffTime, Timings, V2gConfig
from chargepoint.events import DataLinkChanged, VehicleServed
from chargepoint.runtime.log import Logger
from chargepoint.runtime.main import Handle, Options, run_station
from chargepoint.runtime.ports.v2g_line import Wire
from chargepoint.runtime.v2g_tls.secured import vehicle as vehicle_tls
from chargepoint.tick import Tick
from hal.iec61851 import EV_B_OHM, EV_C_OHM
from hal.sim.ports import SimBoard
from hal.sim.signals import NOTHING, Offered, PhaseValues, PilotLoad
from hal.types import DcRatings, EvseInfo, TokenPresented
from iso15118 import sdp
from iso15118.connection import Connected, Event, Lost, Received
from iso15118.terms import Control, Energy

CARD = TokenPresented("04A1B2C3D4E5F6")
CLONE_NEWNET = 0x40000000
READY, LOOP, RESULT = "THE STATION STANDS", "THE CAR CHARGES", "RESULT "
BATTERY_V, NEAR_V = 195.0, 20.0
GIVES_V = 200.0
"""Of the station whose car is not ours: in the loop that wants 200 V."""
STANDS_S = 30.0
AFTER_LOSS_S = 3.0
"""Less than it takes until something is offered again."""


@dataclass(frozen=True, slots=True)
class Given:
    """What is to happen."""

    mode: Literal["ac", "dc"]
    interface: str
    folder: str
    car: Literal["ours", "theirs", "sleeps", "none"] = "ours"
    """theirs: only its pilot is here, its session is another program's. sleeps: it is plugged in and says nothing."""
    pki: str = ""
    ev_namespace: str = ""
    ev_interface: str = ""
    loops: int = 20
    control: Control = Control.DYNAMIC
    unverified: bool = False
    priced: bool = False
    """There is a tariff."""
    slac: bool = False
    """There is a modem, which the vehicle has to match with."""
    setup_s: float = 20.0


# ---- the car


@contextlib.contextmanager
def inside(namespace: str) -> Iterator[None]:
    """Sockets that are made here belong to that network namespace, for ever. Nothing may wait in between."""
    libc = ctypes.CDLL(None, use_errno=True)
    own = os.open("/proc/self/ns/net", os.O_RDONLY)
    other = os.open(f"/var/run/netns/{namespace}", os.O_RDONLY)
    try:
        if libc.setns(other, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        yield
    finally:
        libc.setns(own, CLONE_NEWNET)
        os.close(own)
        os.close(other)


class Car:
    """The network of a car on the board: SDP, TCP and TLS at the other end of the cable."""

    def __init__(self, board: SimBoard, ev: TalkingEv, given: Given) -> None:
        self.board, self.ev, self.given = board, ev, given
        self.wire: CarWire | None = None
        self._loop = asyncio.get_running_loop()
        self._dialling: asyncio.Task[None] | None = None
        self._loops = 0
        ev.out = Outbox(lambda: self._loop.call_soon(self.flush))

    def live(self, do: Callable[[], None]) -> None:
        """Something reaches the car."""
        self.board.look()
        do()
        self.board.changed()
        loops = sum(type(message).__name__.endswith("ChargeLoopRes") for _, _, message in self.ev.messages)
        if loops >= 5 > self._loops:
            print(LOOP, flush=True)
        self._loops = loops

    def flush(self) -> None:
        """What the car wants done."""
        while self.ev.out:
            match self.ev.out.popleft():
                case Dial():
                    self._dialling = self._loop.create_task(self._dial())
                case Say(octets) if self.wire is not None:
                    self.wire.send(octets)
                case HangUp() if self.wire is not None:
                    self.wire.close()

    async def _dial(self) -> None:
        with inside(self.given.ev_namespace):
            index = socket.if_nametoindex(self.given.ev_interface)
            asks = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
            line = socket.socket(socket.AF_INET6, socket.SOCK_STREAM)
        for each in (asks, line):
            each.setblocking(False)
        with contextlib.closing(asks):
            found = await self._found(asks, index)
        await self._loop.sock_connect(line, (str(found.address), found.port, 0, index))
        secure = vehicle_tls(Path(self.given.pki), "1.3")[0] if found.security is sdp.Security.TLS else None
        self.wire = wire = CarWire(self, secure)
        await self._loop.create_connection(lambda: wire, sock=line)

    async def _found(self, asks: socket.socket, index: int) -> sdp.Response:
        while True:
            asks.sendto(sdp.Request(sdp.Security.TLS).octets(), (sdp.GROUP, sdp.PORT, 0, index))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(sdp.REQUEST_EVERY_S):
                    return sdp.read_response(await self._loop.sock_recv(asks, 64))


class CarWire(Wire):
    """Its connection."""

    def __init__(self, car: Car, secure: Any) -> None:
        super().__init__(secure)
        self.car = car

    def begin(self) -> None:
        if self.secure is None:
            self.handle(Connected())

    def handle(self, event: Event) -> None:
        match event:
            case Connected():
                self.car.live(self.car.ev.connected)
            case Received(octets):
                self.car.live(lambda: self.car.ev.hear(octets))
            case Lost(why):
                self.car.live(lambda: self.car.ev.lost(why))
                self.drop()


class Pilot:
    """An AC car of which only the pilot is here: `wants` closes S2, and then it draws."""

    def __init__(self) -> None:
        self.wants = False
        self.offered: Offered | None = None

    @property
    def pilot_load(self) -> PilotLoad:
        return PilotLoad(EV_C_OHM if self.wants else EV_B_OHM)

    @property
    def leakage_dc_mA(self) -> float:
        return 0.0

    def currents_A(self, at_s: float) -> PhaseValues:
        live = self.wants and self.offered is not None and self.offered.voltage_V[0] > 0.0
        return (10.0, 10.0, 10.0) if live else NOTHING

    def deadline(self) -> float | None:
        return None

    def advance(self, now_s: float, offered: Offered) -> None:
        self.offered = offered

    def save(self, now_s: float) -> dict[str, Any]:
        return {}

    def follow(self, message: str) -> None:
        """C with the wish for power, B with its end."""
        if message in ("PowerDeliveryReq", "SessionStopReq", "SessionStopRes"):
            self.wants = message == "PowerDeliveryReq" and not self.wants


class DcPilot(Pilot):
    """A DC car of which pilot and battery are here. It asks for a precharge to 20 kV, and for 200 V in the loop: so its battery has nearly that, and the
    station gives no more.
    """

    closes = closed = False

    def battery_V(self, now_s: float) -> float | None:
        return BATTERY_V if self.closed else None

    def currents_A(self, at_s: float) -> PhaseValues:
        return NOTHING

    def advance(self, now_s: float, offered: Offered) -> None:
        super().advance(now_s, offered)
        if self.closes and abs(offered.outlet_V - BATTERY_V) < NEAR_V:
            self.closes, self.closed = False, True

    def follow(self, message: str) -> None:
        """C from the cable check on, and B at the end; contactors from PowerDelivery Start, as soon as the output is near, to welding detection."""
        match message:
            case "DC_CableCheckReq":
                self.wants = True
            case "PowerDeliveryReq":
                self.closes = not self.closed
            case "DC_WeldingDetectionReq" | "SessionStopReq" | "SessionStopRes":
                self.wants = self.closes = self.closed = False


def car_of(given: Given, now_s: float) -> TalkingEv:
    """As it is asked for."""
    vehicle = Vehicle(COMPACT, soc=30.0)
    vehicle.wants.energies = (Energy.DC if given.mode == "dc" else Energy.AC,)
    vehicle.wants.controls, vehicle.wants.loops = (given.control,), given.loops
    return TalkingEv(vehicle, now_s, modem=given.car == "ours")


# ---- the station


def config_of(given: Given, url: str) -> StationConfig:
    """As a site would have it; an unverified vehicle is a bench's matter."""
    v2g = V2gConfig(
        interface=given.interface,
        pki_dir=given.pki,
        unverified_vehicles=given.unverified,
        tls="optional" if given.unverified else "required",
        slac=SlacConfig(modem="auto" if given.slac else "none"),
    )
    dc = DcConfig(max_voltage_V=GIVES_V) if given.car == "theirs" else DcConfig()
    evse = EvseConfig(max_current_A=32.0, mode=given.mode, connector="cCCS2" if given.mode == "dc" else "cType2", v2g=v2g, dc=dc)
    return StationConfig(
        serial="SITE-1",
        csms=CsmsConfig(url=url, identity="SITE-1", security_profile=0),
        evses=(evse,),
        tariff=TariffConfig("EUR", 0.2849, (TariffTime("12:00", 0.35),)) if given.priced else TariffConfig(),
        timings=Timings(boot_jitter_s=0.0, close_after_boot_s=0.0, setup_s=given.setup_s),
        variables={"TxCtrlr.TxStartPoint": "Authorized"},
    )


class Site:
    """One run."""

    def __init__(self, given: Given, board: SimBoard) -> None:
        self.given, self.board = given, board
        self.handle: Handle | None = None
        self.ev: TalkingEv | None = None
        self.pilot = DcPilot() if given.mode == "dc" else Pilot()
        self.transaction: list[str] = []
        self.ends, self.stands = asyncio.Event(), asyncio.Event()
        self.lost = False
        self._loop = asyncio.get_running_loop()

    def watch(self, tick: Tick, event: object, commands: Sequence[Command]) -> None:
        """The shell's."""
        if event == VehicleServed(1, ready=True):
            print(READY, flush=True)
            self.stands.set()
        if event == DataLinkChanged(1, ready=False) and not self.lost:
            self.lost = True
            self._loop.call_later(AFTER_LOSS_S, self.ends.set)
        for each in commands:
            if isinstance(each, SendText):
                self._told(json.loads(each.text))
            elif isinstance(each, Log) and each.key == "v2g.message" and self.given.car == "theirs":
                self._loop.call_soon(self._follow, each.values["message"])
        if self.ev is not None and self.ev.over is not None and not self.lost:
            self.ends.set()

    def _told(self, frame: list[Any]) -> None:
        if frame[0] == 2 and frame[2] == "TransactionEvent":
            told, info = frame[3], frame[3]["transactionInfo"]
            words = (told["eventType"], told["triggerReason"], info.get("chargingState", ""), info.get("stoppedReason", ""))
            self.transaction.append(" ".join(filter(None, words)))

    def _follow(self, message: str) -> None:
        """The pilot of a car whose session is elsewhere."""
        self.board.look()
        self.pilot.follow(message)
        self.board.changed()
        if message == "SessionStopRes":
            self.ends.set()

    async def run(self) -> None:
        """From the plug to the end of the transaction."""
        match self.given.car:
            case "theirs":
                self.board.plug(1, self.pilot)
            case "ours" | "sleeps":
                self.ev = car_of(self.given, self._loop.time())
                Car(self.board, self.ev, self.given)
                self.board.plug(1, self.ev)
        if self.given.car != "none":
            async with asyncio.timeout(STANDS_S):
                await self.stands.wait()  # an EVSE that cannot charge anybody takes no card
            await asyncio.sleep(0.5)  # and the CSMS has to have accepted the station
            self.board.present(CARD)
        await self.ends.wait()
        await asyncio.sleep(1.0)
        if self.given.car != "none":
            self.board.unplug(1)
            await asyncio.sleep(1.0)
        assert self.handle is not None
        self.handle.shut_down()

    def result(self) -> dict[str, Any]:
        """What has come of it."""
        evse, ev = self.board.world.evses[1], self.ev
        names: list[str] = []
        for _, _, message in ev.messages if ev else ():
            if (name := type(message).__name__) not in names[-2:]:
                names.append(name)
        return {
            "messages": names,
            "ending": ev.over.ending.value if ev and ev.over else "",
            "loops": sum(type(message).__name__.endswith("ChargeLoopRes") for _, _, message in ev.messages) if ev else 0,
            "Wh": self.board.world.view()[0]["meter"]["Wh"],
            "contactor": self.board.world.view()[0]["contactor"],
            "opened_under_A": evse.contactor.opened_under_A,
            "inrush_V": evse.stage.inrush_V if evse.stage else 0.0,
            "transaction": self.transaction,
        }


async def run(given: Given) -> None:
    """To its end, or to SIGTERM."""
    dc = DcRatings() if given.mode == "dc" else None
    board = SimBoard.of([EvseInfo(1, connector="cCCS2" if dc else "cType2", residual_current=dc is None, dc=dc)])
    site = Site(given, board)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, site.ends.set)
    tasks: list[asyncio.Task[None]] = []

    def ready(handle: Handle) -> None:
        site.handle = handle
        tasks.append(loop.create_task(site.run()))

    async with EmbeddedCsms() as csms:
        options = Options(start_reason="PowerUp", watchers=[Logger(), site.watch])
        await run_station(config_of(given, csms.url), board, Path(given.folder), ready=ready, options=options)
    await asyncio.gather(*tasks)
    print(RESULT + json.dumps(site.result()), flush=True)


def main(arguments: list[str]) -> int:
    """One JSON object."""
    given: Given = codec.load(Given, json.loads(arguments[0]), "given")
    asyncio.run(run(given))
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
