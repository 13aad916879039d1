"""What tests may ask of a CSMS that is not ours, whichever it is."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, TypeVar

T = TypeVar("T")
Payload = dict[str, Any]

CALL, CALLRESULT, CALLERROR, CALLRESULTERROR, SEND = 2, 3, 4, 5, 6


class CallRefused(Exception):
    """The station answered a CALL of the CSMS with CALLERROR, or the CSMS's own library would not send or accept it."""

    def __init__(self, code: str, description: str, details: object = None) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.details = details


@dataclass(frozen=True, slots=True)
class Frame:
    """One websocket message as the CSMS saw it. `direction` is the CSMS's: "in" came from the station."""

    client: str
    direction: str
    text: str
    kind: int = 0  # 0: not an OCPP frame
    id: str = ""
    action: str = ""  # of an answer: the action of its call
    payload: Any = None  # of CALLERROR and CALLRESULTERROR: [code, description, details]


@dataclass(frozen=True, slots=True)
class Invalid:
    """The CSMS's validator, or its parser, refused a frame. Of frames going "out", the fault is the test's own."""

    client: str
    direction: str
    action: str
    words: str


@dataclass(frozen=True, slots=True)
class Connection:
    """A websocket that the CSMS accepted. `subprotocol` is empty when none was agreed; the last three are those of TLS."""

    client: str
    subprotocol: str
    url: str = ""
    tls: str | None = None
    cipher: str | None = None
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """How a CSMS starts; `set()` changes what is behaviour while it runs.

    `passwords`: identity -> basic-auth password; None asks for none. `tls`: paths of "cert", "key" and, for client
    certificates, "ca". `answers`: action -> {"payload"} | {"error", "description"} | {"never": True}, each with "delayMs"
    (milliseconds) and "times"; what is not in it is answered as a decent CSMS would.
    """

    protocols: tuple[str, ...] = ("ocpp2.1",)
    passwords: Mapping[str, str] | None = None
    tls: Mapping[str, str] | None = None
    client_certificate: bool = False
    boot_status: str = "Accepted"
    interval_s: int = 300
    tokens: Mapping[str, str] = field(default_factory=dict)
    unknown_token: str = "Invalid"
    answers: Mapping[str, Payload] = field(default_factory=dict)
    refuse: int | None = None
    call_timeout_s: float = 10.0
    port: int = 0


class ForeignCsms:
    """Record of what passed, and waiting for it. Subclasses start the program and carry commands to it."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.settings = settings or Settings()
        self.port = 0
        self.frames: list[Frame] = []
        self.invalid: list[Invalid] = []
        self.connections: list[Connection] = []
        self.refused: list[tuple[str, int]] = []
        self.disconnected: list[tuple[str, int]] = []
        self.failure: str | None = None
        self._actions: dict[tuple[str, str, str], str] = {}
        self._news = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """Without the identity; a station appends `/<identity>`."""
        host = "localhost" if self.settings.tls else "127.0.0.1"
        return f"{'wss' if self.settings.tls else 'ws'}://{host}:{self.port}"

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on a loopback port of its choice."""
        raise NotImplementedError

    async def stop(self) -> None:
        """End it; what it recorded stays."""
        raise NotImplementedError

    async def call(self, client: str, action: str, payload: Payload) -> Payload:
        """Call the station and return its answer. Raises CallRefused."""
        raise NotImplementedError

    async def set(self, **changes: Any) -> None:
        """Change `Settings` of behaviour while it runs (boot_status, interval_s, tokens, unknown_token, answers, passwords, refuse)."""
        raise NotImplementedError

    async def send_raw(self, client: str, text: str) -> None:
        """Send any text, past validator and call queue."""
        raise NotImplementedError

    async def close(self, client: str, code: int = 1001) -> None:
        """Close the websocket in good order."""
        raise NotImplementedError

    async def terminate(self, client: str) -> None:
        """Drop the TCP connection without a close frame."""
        raise NotImplementedError

    def calls(self, action: str, client: str | None = None) -> list[Payload]:
        """Payloads of the CALLs and SENDs of one action from stations, in order."""
        return [f.payload for f in self.frames if _is_request(f, action) and client in {None, f.client}]

    async def wait_for(
        self, action: str, predicate: Callable[[Payload], bool] = lambda _: True, *, after: int = 0, timeout_s: float = 10.0
    ) -> Payload:
        """First CALL or SEND of an action in `frames[after:]` that fits, there already or still to come. Raises TimeoutError."""
        return await self.wait_until(
            lambda: next((f.payload for f in self.frames[after:] if _is_request(f, action) and predicate(f.payload)), None),
            f"{action} from the station",
            timeout_s=timeout_s,
        )

    async def wait_connected(self, client: str, *, nth: int = 1, timeout_s: float = 10.0) -> Connection:
        """The nth connection of a station."""
        found = await self.wait_until(
            lambda: [c for c in self.connections if c.client == client][nth - 1 : nth] or None,
            f"connection {nth} of {client}",
            timeout_s=timeout_s,
        )
        return found[0]

    async def wait_until(self, look: Callable[[], T | None], what: str, *, timeout_s: float = 10.0) -> T:
        """What `look` finds, once that is not None. Raises TimeoutError that shows the last frames."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while (found := look()) is None:
                    if self.failure:
                        raise RuntimeError(self.failure)
                    await self._news.wait()
                return found
        except TimeoutError:
            last = "\n".join(f"  {f.direction:3} {f.text[:200]}" for f in self.frames[-10:])
            raise TimeoutError(f"no {what} within {timeout_s} s; invalid: {self.invalid}; last frames:\n{last}") from None

    def _tell(self) -> None:
        async def notify() -> None:
            async with self._news:
                self._news.notify_all()

        task = asyncio.get_running_loop().create_task(notify())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _saw(self, client: str, direction: str, text: str) -> None:
        frame = self._read(client, direction, text)
        self.frames.append(frame)
        self._tell()

    def _read(self, client: str, direction: str, text: str) -> Frame:
        try:
            kind, identifier, *rest = json.loads(text)
            if kind in {CALL, SEND}:
                self._actions[client, direction, identifier] = rest[0]
                return Frame(client, direction, text, kind, identifier, rest[0], rest[1])
            caller = direction if kind == CALLRESULTERROR else {"in": "out", "out": "in"}[direction]
            action = self._actions.get((client, caller, identifier), "")
            return Frame(client, direction, text, kind, identifier, action, rest[0] if kind == CALLRESULT else rest)
        except (ValueError, TypeError, IndexError):
            return Frame(client, direction, text)


def _is_request(frame: Frame, action: str) -> bool:
    return frame.direction == "in" and frame.kind in {CALL, SEND} and frame.action == action
