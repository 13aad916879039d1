"""Composition: a board, a store, a journal, a link and a station become a running charge point."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import field
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, ClassVar

from chargepoint.commands import Command, Log, Persist, Put, Restart
from chargepoint.config import EvseConfig, StationConfig
from chargepoint.events import PoweredUp, ShutdownRequested
from chargepoint.journal import Head
from chargepoint.ocpp.boot_reason import boot_reason
from chargepoint.ocpp.vendors import Vendor
from chargepoint.runtime.certificate_store import open_store, token_module, worth_opening
from chargepoint.runtime.clock import Clock, SystemClock
from chargepoint.runtime.csms_credentials import credentials
from chargepoint.runtime.journal_file import JournalFile
from chargepoint.runtime.last_words import ABORTED, KEPT, taken
from chargepoint.runtime.port import Port, ReleasedPort, StartError, Tell
from chargepoint.runtime.ports.certificates import CertificatesPort, Held
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.ports.hal import HalPort
from chargepoint.runtime.ports.store import FILE, Database, StoreError, StorePort
from chargepoint.runtime.shell import Shell, Watcher
from chargepoint.station import Station
from chargepoint.tick import Tick
from hal.ports import Board
from hal.types import BoardInfo, FallsBack, GoesOn, OnSilence, Opens
from iso15118.frozen import dataclass

STRENGTH = ("opens", "falls_back", "goes_on")
"""What a board does on silence, the strongest first (`StationConfig.accept_on_silence`)."""
SHUTDOWN_S = 4.0
"""SIGTERM: the station has put itself in order by then, or the process ends without it (F-18: 5 s in all)."""
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run ended: for good, or to begin anew with this boot reason."""

    restart: bool
    reason: str = ""


@dataclass(slots=True)
class Options:
    """What differs between `run`, a bench and a test."""

    start_reason: str = ""
    """What the process sees of it: PowerUp after the board itself started, Watchdog or ApplicationReset where only the process did; "" finds out."""
    threaded: bool = True
    """False on a loop on virtual time."""
    entropy_hex: str = ""
    """Seed of the station's randomness; "" draws one."""
    clock: Clock | None = None
    journal: bool = True
    uptime_s: float | None = None
    vehicles: Callable[[Tell, Callable[[], Held]], ReleasedPort] | None = None
    """What takes the place of the cables' network interfaces, where everything is simulated; it is given what the store of certificates holds."""
    watchers: list[Watcher] = field(default_factory=list)
    vendors: tuple[Vendor, ...] = ()
    """Extensions of OCPP that others bring."""


@dataclass(frozen=True, slots=True)
class Handle:
    """A running station, for whoever shows it or acts at the box."""

    shell: Shell
    board: Board

    @property
    def station(self) -> Station:
        """Facts and device model; to be read, not to be changed."""
        return self.shell.station

    def tell(self, event: object) -> None:
        """The one door; watchers have seen what followed when this returns."""
        self.shell.tell(event)
        self.shell.show()

    def watch(self, watcher: Watcher) -> None:
        """See every input and what followed."""
        self.shell.watchers.append(watcher)

    def shut_down(self, reason: str = "Reboot") -> None:
        """End in order (F-18)."""
        self.shell.tell(ShutdownRequested(reason))
        self.shell.end_within(SHUTDOWN_S)


Monitored = Callable[[Handle, Path], contextlib.AbstractAsyncContextManager[str]]
"""Lets others look into a running station (`chargepoint.runtime.monitor`); gives why not."""


def software_version() -> str:
    """Of this distribution."""
    try:
        return version("chargepoint")
    except PackageNotFoundError:
        return ""


@contextlib.contextmanager
def alone(state_dir: Path, name: str = "lock") -> Iterator[None]:
    """Two stations on one state would be two truths. `name` is the file that says so. Raises StartError."""
    try:
        state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(state_dir / name, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise StartError(f"state_dir {state_dir}: {error.strerror or error}") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise StartError(f"state_dir {state_dir}: another station is running on it") from None
    finally:
        os.close(file)


def check_board(config: StationConfig, board: Board) -> list[str]:
    """What the board does when we fall silent, in words; raises StartError where the configuration accepts less, or does not fit the board."""
    info = board.info
    known = {evse.evse_id for evse in info.evses}
    for evse in config.evses:
        if evse.id not in known:
            raise StartError(f"evses: id {evse.id}: the board {info.driver!r} has no such EVSE (it has {sorted(known)})")
        _check_mode(evse, info)
    if STRENGTH.index(info.silence_name) > STRENGTH.index(config.accept_on_silence):
        raise StartError(
            f"accept_on_silence = {config.accept_on_silence!r}: when the station falls silent, this board {_words(info.on_silence, config.timings.permit_ttl_s)}; "
            f"where that is acceptable, say accept_on_silence = {info.silence_name!r}"
        )
    return [f"when the station falls silent, the board {_words(info.on_silence, config.timings.permit_ttl_s)}"]


def _check_mode(evse: EvseConfig, info: BoardInfo) -> None:
    has_dc = info.evse(evse.id).dc is not None
    if has_dc is not (evse.mode == "dc"):
        has = "has a DC stage there" if has_dc else "has no DC stage there"
        raise StartError(f"evses: id {evse.id}: mode = {evse.mode!r}, but the board {info.driver!r} {has}")
    if has_dc and not evse.v2g.interface:
        raise StartError(f"evses: id {evse.id}: mode = 'dc' needs v2g.interface: DC is charged by ISO 15118 only")


def _words(on_silence: OnSilence, permit_ttl_s: float) -> str:
    match on_silence:
        case Opens():
            return f"opens within {min(on_silence.within_s, permit_ttl_s):g} s"
        case FallsBack():
            return f"goes on with {on_silence.current_A:g} A and does not open"
        case GoesOn():
            return "goes on as it is, for ever"


def _start_reason(stored: dict[str, dict[str, Any]], boot_id: str, last_words: bytes) -> str:
    """The board itself started anew, or only the process; and then whether the watchdog ended the one before (F-16)."""
    if not boot_id or stored.get("meta", {}).get("boot_id") != boot_id:
        return "PowerUp"
    return "Watchdog" if last_words.startswith(ABORTED) else "ApplicationReset"


def _read(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except OSError:
        return ""


def _uptime_s() -> float | None:
    words = _read(Path("/proc/uptime")).split()
    return float(words[0]) if words else None


def _open_store(config: StationConfig, state_dir: Path) -> Database:
    try:
        return Database(state_dir / FILE, config.keep_disk_MB * 500_000)
    except (StoreError, OSError) as error:
        raise StartError(f"state_dir: {error}") from None


@contextlib.asynccontextmanager
async def station(config: StationConfig, board: Board, state_dir: Path, options: Options | None = None) -> AsyncIterator[Handle]:
    """A running station; leaving the context stops it without ceremony. Raises StartError, HalError.

    The board is opened before anything else, then the store is read; PoweredUp is the first input, and what the board said
    meanwhile comes after it.
    """
    options = options or Options()
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(alone(state_dir))
        hal = HalPort(board)
        await hal.start()
        stack.push_async_callback(hal.stop)
        silence = check_board(config, board)
        database = _open_store(config, state_dir)
        stored = database.load()
        core = Station(config, board.info, options.vendors)
        clock = options.clock or SystemClock()
        shell = Shell(core, clock)
        shell.watchers.extend(options.watchers)
        store = StorePort(database, shell.tell, threaded=options.threaded)
        known_utc = partial(_known_utc, core, clock)
        certificates = CertificatesPort(
            shell.tell,
            partial(open_store, config, state_dir),
            threaded=options.threaded,
            worth_opening=worth_opening(config, state_dir),
        )
        vehicles = (options.vehicles or partial(_vehicles, config, known_utc))(shell.tell, lambda: certificates.held)
        shown = partial(credentials, config.csms, lambda: certificates.held, known_utc=known_utc, token_module=token_module(config))
        csms = CsmsPort(shell.tell, shown, threaded=options.threaded)
        ports: Sequence[Port] = (hal, store, certificates, csms, vehicles)
        shell.use(ports)
        for port in ports[1:]:
            await port.start()
            stack.push_async_callback(port.stop)
        if options.journal:
            stack.push_async_callback(_journal(shell, config, board, state_dir, threaded=options.threaded).stop)
        stack.callback(shell.stop)
        last_words = taken(state_dir)
        notes = [("store.damaged", {"kept_as": str(database.set_aside)})] if database.set_aside else []
        notes += [("station.killed", {"where": str(state_dir / KEPT)})] if last_words else []
        if known_utc() is None:
            notes.append(("clock.not_set", {"so": "until the CSMS tells the time, the dates of vehicles' certificates are not judged"}))
        _say(shell, clock.now(), [*notes, *(("board.on_silence", {"what": each}) for each in silence)])
        boot_id = _read(BOOT_ID)
        reason = boot_reason(options.start_reason or _start_reason(stored, boot_id, last_words), stored)
        if not options.start_reason:
            store.carry_out(Persist((Put("meta", "boot_id", boot_id),)))
        uptime_s = options.uptime_s if options.start_reason else _uptime_s()
        shell.tell(PoweredUp(reason, options.entropy_hex or os.urandom(32).hex(), stored, software_version(), uptime_s))
        certificates.release()
        hal.release(shell.tell)
        vehicles.release()
        yield Handle(shell, board)


def _known_utc(core: Station, clock: Clock) -> float | None:
    """The station's time of day; None while nobody has set it (F-3)."""
    return core.wiring.context.clock.known_utc(clock.now())


def _vehicles(config: StationConfig, known_utc: Callable[[], float | None], tell: Tell, held: Callable[[], Held]) -> ReleasedPort:
    """A station that does not talk does not carry what talking needs."""
    if not any(evse.v2g.interface for evse in config.evses):
        return NoVehicles()
    from chargepoint.runtime.ports.vehicle import VehiclePort

    vehicles = VehiclePort(config, tell, known_utc, held)
    if not any(evse.has_modem for evse in config.evses):
        return vehicles
    from chargepoint.runtime.ports.plc import Cables, PlcPort

    return Cables(PlcPort(config, tell), vehicles)


class NoVehicles:
    """In the place of the port: nobody is served."""

    takes: ClassVar[tuple[type[Command], ...]] = ()

    async def start(self) -> None:
        pass

    def release(self) -> None:
        pass

    def carry_out(self, command: Command) -> None:
        pass

    async def stop(self) -> None:
        pass


def _journal(shell: Shell, config: StationConfig, board: Board, state_dir: Path, *, threaded: bool) -> JournalFile:
    core = shell.station

    def head() -> Head:
        begun = bool(core.wiring.context.entropy.seed_hex)
        return Head(software_version(), config, board.info, core.snapshot() if begun else None)

    def quiet() -> bool:
        return not any(facts.power_closed for facts in core.wiring.context.evses.values())

    file = JournalFile(state_dir / "journal", head, quiet, keep_bytes=config.keep_disk_MB * 500_000, threaded=threaded)
    file.begin()
    shell.record = file.record
    return file


def _say(shell: Shell, now: Tick, notes: Sequence[tuple[str, dict[str, Any]]]) -> None:
    for key, values in notes:
        lines: tuple[Command, ...] = (Log("info", key, values),)
        for watcher in shell.watchers:
            watcher(now, None, lines)


async def run_station(
    config: StationConfig,
    board: Board,
    state_dir: Path,
    *,
    ready: Callable[[Handle], None] | None = None,
    options: Options | None = None,
    monitor: Monitored | None = None,
) -> Outcome:
    """Run until the station wants to end or to begin anew. Raises StartError, HalError, and whatever bug ended the station. `monitor` is there meanwhile.

    Cancelled, it ends at once: `Handle.shut_down` is the orderly way.
    """
    async with contextlib.AsyncExitStack() as stack:
        handle = await stack.enter_async_context(station(config, board, state_dir, options))
        why_not = await stack.enter_async_context(monitor(handle, state_dir)) if monitor is not None else ""
        if why_not:
            _say(handle.shell, handle.shell.clock.now(), [("monitor.off", {"why": why_not})])
        if ready is not None:
            ready(handle)
        command = await handle.shell.ended
        return Outcome(isinstance(command, Restart), command.reason if isinstance(command, Restart) else "")
