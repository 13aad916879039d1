"""The link to the vehicles: for each EVSE that talks, SDP, TCP and TLS on the network interface of its power-line modem; octets through the one door.

Where no modem is matched with (SLAC), a carrier on the interface counts as the link, while a vehicle is served.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import ClassVar

from cryptography.hazmat.primitives.serialization import Encoding

from certs import pki_files
from chargepoint import v2g_facts
from chargepoint.commands import CloseVehicle, Command, SendToVehicle, ServeVehicle, SetRevocations, SetStaples
from chargepoint.config import EvseConfig, StationConfig
from chargepoint.config_file.v2g_rules import missing
from chargepoint.events import DataLinkChanged, VehicleConnected, VehicleGone, VehicleSaid, VehicleServed
from chargepoint.runtime.certificate_store import token_module
from chargepoint.runtime.give_back import give_back
from chargepoint.runtime.port import Tell
from chargepoint.runtime.ports.certificates import Held
from chargepoint.runtime.ports.v2g import MOST_CONNECTIONS, NoInterface, V2gServer, Where, find
from chargepoint.runtime.ports.v2g_line import Secure, Wire
from chargepoint.runtime.v2g_chains import SeccChains
from chargepoint.runtime.v2g_tls.plan import Clock, Version
from chargepoint.runtime.v2g_tls.secured import station
from iso15118 import exi, sdp
from iso15118.connection import Abort, Connected, Event, Lost, Received
from iso15118.messages import sap, xmldsig
from iso15118.messages.iso20 import common_messages as cm

LOOK_S = 0.5
"""So often the interface is looked at: it may go, and come back with another index or address (S-9)."""
HANDSHAKE_S = 10.0
"""TLS is done by then (ours); the session has its own time after that."""
FAILURES_PER_S = 1.0
"""So many handshakes that failed are told; what does them more often is no vehicle, and the journal has an end."""
POLICIES = {"required": sdp.TlsPolicy.REQUIRED, "optional": sdp.TlsPolicy.OPTIONAL, "none": sdp.TlsPolicy.OFF}
NETWORKS = Path("/sys/class/net")
Server = V2gServer["VehicleWire"]


class VehiclePort:
    """ServeVehicle, SendToVehicle, CloseVehicle, SetStaples, SetRevocations; tells VehicleServed, VehicleConnected, VehicleSaid, VehicleGone, DataLinkChanged."""

    takes: ClassVar[tuple[type[Command], ...]] = (ServeVehicle, SendToVehicle, CloseVehicle, SetStaples, SetRevocations)

    def __init__(self, config: StationConfig, tell: Tell, clock: Clock | None = None, held: Callable[[], Held] = Held) -> None:
        """`clock`: the station's own; vehicles' certificates are judged by it (F-3). `held`: what the store of certificates holds now."""
        numbers = count(1)
        self.chains = SeccChains(held, token_module(config))
        self.cables = {
            each.id: Cable(each, tell, partial(next, numbers), clock, self.chains) for each in config.evses if each.v2g.interface
        }

    async def start(self) -> None:
        """Certificates are read, and all that a session needs is built. Raises PkiError, TlsMissing."""
        for each in self.cables.values():
            each.prepare()
        give_back()

    def release(self) -> None:
        """Listen from now on."""
        for each in self.cables.values():
            each.begin()

    def carry_out(self, command: Command) -> None:
        if isinstance(command, ServeVehicle | SendToVehicle | CloseVehicle):
            self.cables[command.evse_id].carry_out(command)
        elif isinstance(command, SetStaples):
            self.chains.staple(command.slot, command.responses)
        elif isinstance(command, SetRevocations):
            self.chains.revoke(command.fingerprints)

    async def stop(self) -> None:
        for each in self.cables.values():
            await each.stop()


class Cable:
    """The network side of one EVSE."""

    def __init__(self, config: EvseConfig, tell: Tell, number: Callable[[], int], clock: Clock | None, chains: SeccChains) -> None:
        self.config, self.evse_id, self.tell, self.number, self.clock, self.chains = config, config.id, tell, number, clock, chains
        self.serves = False
        self.wires: dict[int, VehicleWire] = {}
        self.server: Server | None = None
        self.failures = FAILURES_PER_S
        self._failures_at = 0.0
        self._secure: Callable[[], Secure] | None = None
        self._told: tuple[bool, str] | None = None
        self._linked: bool | None = None
        """What was last said of the link; None: nothing yet, since a vehicle is served."""
        self._watching: asyncio.Task[None] | None = None

    # ---- the port

    def prepare(self) -> None:
        """Raises PkiError, TlsMissing."""
        self._secure = tls_of(self.config, self.clock, self.chains)
        warm(self.config)

    def begin(self) -> None:
        """Look after the interface."""
        self._watching = asyncio.get_running_loop().create_task(self._watch())

    def carry_out(self, command: ServeVehicle | SendToVehicle | CloseVehicle) -> None:
        """Of this EVSE."""
        if isinstance(command, ServeVehicle):
            self.serves = command.on
            if self.server is not None:
                self.server.open = command.on
            if command.on:
                self._linked = None
                asyncio.get_running_loop().call_soon(self._look_at_link)
            return
        wire = self.wires.get(command.connection)
        if wire is None:
            return
        if isinstance(command, SendToVehicle):
            wire.send(command.octets)
        else:
            wire.dismiss()

    async def stop(self) -> None:
        """Nobody is served any more."""
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self._lose("the station stops")

    # ---- the interface

    async def _watch(self) -> None:
        while True:
            try:
                where = find(self.config.v2g.interface)
                if self.server is not None and self.server.where != where:
                    await self._unserved(f"{where.name} has another index or address")
                if self.server is None:
                    await self._listen(where)
                self._look_at_link()
                self._served(ready=True)
            except NoInterface as error:
                await self._unserved(str(error))
            await asyncio.sleep(LOOK_S)

    async def _listen(self, where: Where) -> None:
        policy = POLICIES[self.config.tls]
        server: Server = V2gServer(where, self, policy=policy, secure=self._secure, is_open=self.serves)
        await server.start()
        self.server = server
        server.open = self.serves

    async def _unserved(self, why: str) -> None:
        """The link first: what has energy on is to go off for that reason."""
        if self.serves:
            self._link(ready=False)
        self._served(ready=False, why=why)
        await self._lose(why)

    async def _lose(self, why: str) -> None:
        server, self.server = self.server, None
        if server is not None:
            await server.stop(why)

    def _served(self, *, ready: bool, why: str = "") -> None:
        if self._told != (ready, why):
            self._told = ready, why
            self.tell(VehicleServed(self.evse_id, ready, why))

    def _look_at_link(self) -> None:
        if self.serves:
            self._link(ready=self.server is not None and carrier(self.config.v2g.interface))

    def _link(self, *, ready: bool) -> None:
        """Nothing where matching says it."""
        if not self.config.has_modem and ready is not self._linked:
            self._linked = ready
            self.tell(DataLinkChanged(self.evse_id, ready))

    # ---- connections

    def connection(self, server: Server, secure: Secure | None) -> VehicleWire:
        """One more."""
        return VehicleWire(self, server, secure)

    def enter(self, server: Server, new: VehicleWire) -> bool:
        """Whoever shakes hands anew does so instead of before. When there are many, the oldest that has said nothing gives way; those that have are sessions, of
        which the station keeps as many as it wants.
        """
        for each in [each for each in server.connections if each.shaking and each.peer == new.peer]:
            each.handle(Abort("it connected anew"))
        if len(server.connections) >= MOST_CONNECTIONS:
            silent = next((each for each in server.connections if not each.said), None)
            if silent is None:
                return len(server.connections) < 2 * MOST_CONNECTIONS
            silent.handle(Abort("others want to connect"))
        return True

    def may_tell_failure(self) -> bool:
        """Whether one more handshake that failed is told."""
        now_s = asyncio.get_running_loop().time()
        self.failures = min(FAILURES_PER_S, self.failures + (now_s - self._failures_at) * FAILURES_PER_S)
        self._failures_at = now_s
        if self.failures < 1:
            return False
        self.failures -= 1
        return True


class VehicleWire(Wire):
    """One vehicle's connection; the session is the station's."""

    def __init__(self, cable: Cable, server: Server, secure: Secure | None) -> None:
        super().__init__(secure)
        self.cable, self.server, self.number = cable, server, cable.number()
        self.said = self._connected = self._over = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def shaking(self) -> bool:
        """TLS is not done yet."""
        return self.secure is not None and not self._connected

    def begin(self) -> None:
        self.peer = self.peer.partition("%")[0]
        if not self.server.takes(self):
            self._over = True
            self.drop()
        elif self.secure is None:
            self.handle(Connected())
        else:
            self._timer = asyncio.get_running_loop().call_later(
                HANDSHAKE_S, self.handle, Lost(f"TLS: no handshake within {HANDSHAKE_S:g} s")
            )

    def handle(self, event: Event) -> None:
        if self._over:
            return
        evse_id = self.cable.evse_id
        match event:
            case Connected(verified):
                self._stop_timer()
                self._connected = True
                self.cable.wires[self.number] = self
                tls = f"TLSv{self.secure.version}" if self.secure else ""
                self.cable.tell(VehicleConnected(evse_id, self.number, self.peer, tls, verified, *shown(self.secure)))
            case Received(octets):
                self.said = True
                self.cable.tell(VehicleSaid(evse_id, self.number, octets))
            case Lost(why) | Abort(why):
                self._lost(why)

    def _lost(self, why: str) -> None:
        """Told later: it may come of what the station is sending just now."""
        self._over = True
        if self.secure is not None and self.secure.without_chain:
            self.server.serve_plain(self.peer)
        if self._connected or self.cable.may_tell_failure():
            sentence = self.secure.sentence if self.secure and not self._connected else ""
            asyncio.get_running_loop().call_soon(self.cable.tell, VehicleGone(self.cable.evse_id, self.number, why, sentence))
        self.close()

    def dismiss(self) -> None:
        """The station has done with it."""
        self._over = True
        self.close()

    def forgotten(self) -> None:
        self._stop_timer()
        self.cable.wires.pop(self.number, None)
        self.server.forget(self)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def shown(secure: Secure | None) -> tuple[str, str]:
    """The vehicle's chain as it was judged, and what is odd about it; "" where there is none that is good."""
    verdict = secure.verdict if secure is not None and secure.verified else None
    if verdict is None:
        return "", ""
    chain = "".join(each.public_bytes(Encoding.PEM).decode("ascii") for each in verdict.path)
    return chain, verdict.why if verdict.warnings else ""


def warm(config: EvseConfig) -> None:
    """Build all codecs that a session at this EVSE needs."""
    for each in (sap.NAMESPACE, cm.NAMESPACE, xmldsig.NAMESPACE, *v2g_facts.namespaces(config)):
        exi.codec_of(each).warm()


def tls_of(config: EvseConfig, clock: Clock | None, chains: SeccChains) -> Callable[[], Secure] | None:
    """What makes the TLS of a connection; None for none. Raises PkiError, TlsMissing."""
    v2g = config.v2g
    if config.tls == "none":
        return None
    folder = Path(v2g.pki_dir)
    if not v2g.unverified_vehicles and (lacking := missing(folder, config.protocols, named=bool(v2g.protocols))):
        raise pki_files.PkiError(lacking)
    by_20 = {each.startswith("iso20-") for each in config.protocols if each != "din"}
    version: Version = "any" if v2g.unverified_vehicles or len(by_20) != 1 else "1.3" if by_20 == {True} else "1.2"
    # Without certificates of ISO 15118-2 in the folder its TLS waits for those of the store.
    of_folder: Version = "1.3" if not v2g.protocols and pki_files.read(folder).iso2.secc is None else version
    secure, _ = station(
        folder, of_folder, lax=v2g.unverified_vehicles, clock=clock, current=lambda found: chains.over(replace(found, version=version))
    )
    return secure


def carrier(interface: str) -> bool:
    """Whether its link is up, as the kernel has it; an interface that is down has none to read."""
    try:
        own_name = socket.if_indextoname(socket.if_nametoindex(interface))
        return (NETWORKS / own_name / "carrier").read_text("ascii").strip() == "1"
    except OSError:
        return False
