"""The store of certificates: commands in, events out, files and tokens touched by one thread. No private key goes through the door.

What TLS needs of it (`Held`, private keys or their URIs among it) goes to the other ports directly, in the event loop's thread. A store that
cannot be opened costs the certificates that were installed, not the station: every command says so, and tries again.
"""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from collections.abc import Callable
from dataclasses import field
from typing import ClassVar, TypeAlias

from certs.store import Contents, Identity, OwnUse, RootUse, Store, StoreError, StoreProblem
from chargepoint.commands import AdoptChain, Command, DeleteOwn, DeleteRoot, InstallRoot, MakeCsr, RollBack
from chargepoint.events import CertificatesRead, CertificateStored, CsrMade, Event
from chargepoint.runtime.port import Tell
from iso15118.frozen import dataclass

STOP_S = 3.0
"""At the end of the process the last change gets this long."""
MOST_NOTES = 100
"""That are told at once (ours)."""
OpenStore: TypeAlias = Callable[[], Store]
"""Raises StoreError, and whatever else may go wrong."""


@dataclass(frozen=True, slots=True)
class Held:
    """What the store held last: for the ports that do TLS."""

    contents: Contents = field(default_factory=Contents)
    identities: tuple[Identity, ...] = field(default=(), repr=False)
    """Of all slots with a chain, those in use first."""
    read: bool = False
    """The store could be read; else the files of the configuration are all that there is."""

    def roots(self, use: RootUse) -> str:
        """PEM, one after the other; "" when there are none."""
        return "".join(each.pem for each in self.contents.roots if each.use == use)

    def active(self, use: OwnUse) -> tuple[Identity, ...]:
        """What is shown for this use: one for each kind of key."""
        slots = {each.slot for each in self.contents.own if each.use == use and each.state == "active"}
        return tuple(each for each in self.identities if each.slot in slots)

    def identity(self, slot: str) -> Identity | None:
        """Of one slot."""
        return next((each for each in self.identities if each.slot == slot), None)


class Keeper:
    """The store behind the commands; every call blocks, and none raises."""

    def __init__(self, open_store: OpenStore) -> None:
        self._open = open_store
        self._store: Store | None = None
        self._noted = 0
        self.held = Held()

    def read(self) -> CertificatesRead:
        """All that there is; `held` is that, too."""
        notes: list[str] = []
        try:
            store = self._opened()
            contents = store.contents()
            self.held = Held(contents, _identities(store, contents, notes), read=True)
        except Exception as error:  # noqa: BLE001 whatever it was: what was known stays, and it is said
            notes.append(_words(error))
        if self._store is not None:
            told = self._store.notes
            notes, self._noted = [*told[self._noted :], *notes], len(told)
        return CertificatesRead(self.held.contents.roots, self.held.contents.own, tuple(notes[:MOST_NOTES]), self.held.read)

    def carry_out(self, command: Command) -> list[Event]:
        """The one answer to this command; what is there now before it, where that is something else."""
        answer = self._answer(command)
        before = self.held.contents
        read = self.read()
        return [read, answer] if read.notes or self.held.contents != before else [answer]

    def _answer(self, command: Command) -> Event:
        token: str = getattr(command, "token", "")
        slot, pem, problem, text = "", "", StoreError("", ""), ""
        try:
            slot, pem = _carry_out(self._opened(), command)
        except StoreError as error:
            problem, text = error, str(error)
        except Exception as error:  # noqa: BLE001 whoever asked gets an answer
            problem, text = StoreError("Failed", ""), _words(error)
        said: StoreProblem = problem.problem
        return CsrMade(token, slot, pem, said, text) if isinstance(command, MakeCsr) else CertificateStored(token, said, text)

    def _opened(self) -> Store:
        if self._store is None:
            self._store = self._open()
        return self._store


def _carry_out(store: Store, command: Command) -> tuple[str, str]:
    match command:
        case MakeCsr():
            return store.make_request(command.use, command.kind, command.subject)
        case InstallRoot():
            store.install_root(command.use, command.pem)
        case DeleteRoot():
            store.delete_root(command.fingerprint)
        case DeleteOwn():
            store.delete_own(command.slot)
        case AdoptChain():
            store.adopt(command.slot, command.pem)
        case RollBack():
            store.roll_back(command.use)
        case _:
            raise StoreError("Unsupported", f"{type(command).__name__} is no command of this port")
    return "", ""


def _identities(store: Store, contents: Contents, notes: list[str]) -> tuple[Identity, ...]:
    found = []
    for own in sorted(contents.own, key=lambda each: each.state):
        if own.state != "pending":
            try:
                found.append(store.identity(own.slot))
            except StoreError as error:
                notes.append(f"{own.slot}: {error}")
    return tuple(found)


def _words(error: Exception) -> str:
    """What a StoreError says; of another one the kind alone, as nobody knows what stands in it."""
    return str(error) if isinstance(error, StoreError) else type(error).__name__


class CertificatesPort:
    """Tells CertificatesRead once released and after each change, and one answer for each command. `threaded` False works in place.

    `worth_opening` False: nothing is configured and nothing was ever installed, so nothing is read before the first command.
    """

    takes: ClassVar[tuple[type[Command], ...]] = (InstallRoot, DeleteRoot, DeleteOwn, MakeCsr, AdoptChain, RollBack)

    def __init__(self, tell: Tell, open_store: OpenStore, *, threaded: bool = True, worth_opening: bool = True) -> None:
        self.tell = tell
        self.held = Held()
        self.watchers: list[Callable[[Held], None]] = []
        """Called with what is held now, before CertificatesRead is told."""
        self._keeper = Keeper(open_store)
        self._worth_opening = worth_opening
        self._read = CertificatesRead()
        self._loop = asyncio.get_running_loop()
        self._waiting: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="certificates", daemon=True) if threaded else None

    async def start(self) -> None:
        """Afterwards `held` is what is there: a link that is opened at once needs it."""
        if self._worth_opening:
            self._read = await self._loop.run_in_executor(None, self._keeper.read) if self._thread else self._keeper.read()
            self.held = self._keeper.held
        if self._thread:
            self._thread.start()

    def release(self) -> None:
        first: list[Event] = [self._read]
        self._loop.call_soon(self._told, self._keeper.held, first)

    def carry_out(self, command: Command) -> None:
        if self._thread:
            self._waiting.put(command)
        else:
            self._loop.call_soon(self._told, *self._done(command))

    def _done(self, command: Command) -> tuple[Held, list[Event]]:
        events = self._keeper.carry_out(command)
        return self._keeper.held, events

    def _told(self, held: Held, events: list[Event]) -> None:
        self.held = held
        if any(isinstance(each, CertificatesRead) for each in events):
            for watcher in self.watchers:
                watcher(held)
        for each in events:
            self.tell(each)

    def _run(self) -> None:
        while (command := self._waiting.get()) is not None:
            held, events = self._done(command)
            with contextlib.suppress(RuntimeError):  # the loop is gone: nobody is left to hear it, and it is on disk
                self._loop.call_soon_threadsafe(self._told, held, events)

    async def stop(self) -> None:
        """What has been given is done when this returns; a disk or a token that hangs is not waited for longer than STOP_S."""
        if self._thread and self._thread.is_alive():
            self._waiting.put(None)
            await self._loop.run_in_executor(None, self._thread.join, STOP_S)
