"""A websocket server that answers a charging station as a decent CSMS would, or as badly as a campaign wants it."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import http
import json
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from websockets.asyncio.server import Server, ServerConnection
    from websockets.http11 import Request, Response

    from bench.csms.signing import Signer

Payload = dict[str, Any]
DECENT: dict[str, Payload] = {
    "DataTransfer": {"status": "UnknownVendorId"},
    "SignCertificate": {"status": "Rejected"},
    "GetCertificateStatus": {"status": "Failed"},
    "Get15118EVCertificate": {"status": "Failed", "exiResponse": ""},
    "NotifyEVChargingNeeds": {"status": "Accepted"},
    "NotifyEVChargingSchedule": {"status": "Accepted"},
    "PullDynamicScheduleUpdate": {"status": "Rejected"},
    "VatNumberValidation": {"vatNumber": "-", "status": "Rejected"},
    "OpenPeriodicEventStream": {"status": "Rejected"},
}
"""Answers that are always the same; every other message is answered by an empty object."""
CALL, CALLRESULT, SEND = 2, 3, 6
SCHEMAS = "v21"


class Refused(Exception):
    """The station answered a call with CALLERROR."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code


@dataclass(slots=True)
class Behaviour:
    """How it answers; may be changed while it runs."""

    boot_status: str = "Accepted"
    interval_s: int = 300
    tokens: dict[str, str] = field(default_factory=dict)
    """idToken -> AuthorizationStatusEnumType."""
    other_tokens: str = "Accepted"
    delay_s: float = 0.0
    answer: Callable[[str, str, Payload], Any] | None = None
    """`(message id, action, payload)`: None for the decent answer, False for silence, a dict for a payload, a text or list for a raw frame."""
    refuse: int = 0
    """HTTP status for the upgrade; 0 accepts."""
    passwords: dict[str, str] | None = None
    """identity -> basic-auth password; None asks for none."""


@dataclass(slots=True)
class Session:
    """One transaction as the CSMS knows it."""

    identity: str
    events: list[Payload] = field(default_factory=list)
    """TransactionEventRequests in the order of their arrival, repeated ones included."""

    @property
    def ended(self) -> bool:
        """Its Ended has come."""
        return any(event["eventType"] == "Ended" for event in self.events)

    @property
    def numbers(self) -> list[int]:
        """The seqNo of each event, as they came."""
        return [event["seqNo"] for event in self.events]


class EmbeddedCsms:
    """`url` is without the identity. `watchers` see every frame as `(identity, "in" or "out", text)`."""

    def __init__(
        self,
        behaviour: Behaviour | None = None,
        *,
        port: int = 0,
        tls: ssl.SSLContext | None = None,
        clock: Callable[[], float] | None = None,
        subprotocols: tuple[str, ...] = ("ocpp2.1",),
        keep: bool = True,
        validate: bool = True,
        signer: Signer | None = None,
    ) -> None:
        self.behaviour = behaviour or Behaviour()
        self.port, self.tls, self.subprotocols, self.keep, self.validate = port, tls, subprotocols, keep, validate
        self.clock = clock or (lambda: datetime.now(UTC).timestamp())
        self.received: list[tuple[str, str, Payload]] = []
        """identity, action, payload of every call, in order, when `keep` is set."""
        self.sessions: dict[str, Session] = {}
        """transactionId -> what came of it, when `keep` is set."""
        self.invalid: list[str] = []
        """What was no OCPP-J, or, with `validate`, does not fit its schema."""
        self.connections: dict[str, ServerConnection] = {}
        self.connected_times = 0
        self.watchers: list[Callable[[str, str, str], None]] = []
        self.signer = signer
        """Signs what stations ask for; without one SignCertificate is rejected."""
        self.signed: list[tuple[str, Payload]] = []
        """identity and the answer to each CertificateSigned."""
        self._ids = count(1)
        self._waiting: dict[str, asyncio.Future[Payload]] = {}
        self._news = asyncio.Condition()
        self._server: Server | None = None
        self._late: set[asyncio.Task[None]] = set()

    @property
    def url(self) -> str:
        """To be configured at the station."""
        return f"{'wss' if self.tls else 'ws'}://{'localhost' if self.tls else '127.0.0.1'}:{self.port}"

    async def __aenter__(self) -> Self:
        from websockets.asyncio.server import serve

        self._server = await serve(
            self._serve,
            "127.0.0.1",
            self.port,
            ssl=self.tls,
            select_subprotocol=self._select,
            process_request=self._admit,
            compression=None,
            ping_interval=None,
            max_size=16 << 20,
        )
        self.port = next(iter(self._server.sockets)).getsockname()[1]
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for task in self._late:
            task.cancel()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        if error is None and self.validate and self.invalid:
            raise AssertionError(f"the station said what does not fit: {self.invalid[0]}")

    # ---- what tests and people ask

    def calls_of(self, action: str, identity: str = "") -> list[Payload]:
        """Payloads of one action, in order."""
        return [payload for who, what, payload in self.received if what == action and identity in ("", who)]

    async def call(self, identity: str, action: str, payload: Payload, timeout_s: float = 30.0) -> Payload:
        """Ask a station. Raises Refused, KeyError when it is not connected, TimeoutError."""
        message_id = f"csms-{next(self._ids)}"
        future = self._waiting[message_id] = asyncio.get_running_loop().create_future()
        await self._send(identity, self.connections[identity], json.dumps([CALL, message_id, action, payload]))
        try:
            async with asyncio.timeout(timeout_s):
                answer: Payload = await future
                return answer
        finally:
            self._waiting.pop(message_id, None)

    async def send_raw(self, identity: str, text: str) -> None:
        """Any text."""
        await self._send(identity, self.connections[identity], text)

    async def drop(self, identity: str, code: int | None = None) -> None:
        """Close the connection; without a code the socket is cut."""
        link = self.connections[identity]
        if code is None:
            link.transport.abort()
        else:
            await link.close(code)

    async def wait_for(
        self, action: str, fits: Callable[[Payload], bool] = lambda _: True, *, after: int = 0, timeout_s: float = 10.0
    ) -> Payload:
        """The first call in `received[after:]` that fits, there already or to come. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._news:
            while True:
                for _, what, payload in self.received[after:]:
                    if what == action and fits(payload):
                        return payload
                await self._news.wait()

    async def wait_connected(self, identity: str, timeout_s: float = 10.0) -> None:
        """The station is connected. Raises TimeoutError."""
        await self.wait_until(lambda: identity in self.connections, timeout_s)

    async def wait_until(self, holds: Callable[[], bool], timeout_s: float = 10.0) -> None:
        """Looked at with each call and connection. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s), self._news:
            while not holds():
                await self._news.wait()

    # ---- connections

    def _select(self, link: ServerConnection, offered: Any) -> Any:
        return next((each for each in offered if each in self.subprotocols), None)

    def _admit(self, link: ServerConnection, request: Request) -> Response | None:
        if self.behaviour.refuse:
            return link.respond(http.HTTPStatus(self.behaviour.refuse), "as told\n")
        if self.behaviour.passwords is None:
            return None
        scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
        identity, _, password = _decoded(encoded).partition(":") if scheme == "Basic" else ("", "", "")
        if identity != _identity(request.path) or self.behaviour.passwords.get(identity) != password:
            return link.respond(http.HTTPStatus.UNAUTHORIZED, "who are you?\n")
        return None

    async def _serve(self, link: ServerConnection) -> None:
        from websockets.exceptions import ConnectionClosed

        identity = _identity(link.request.path if link.request else "")
        self.connections[identity] = link
        self.connected_times += 1
        await self._tell()
        try:
            async for text in link:
                if isinstance(text, str):
                    await self._got(identity, link, text)
        except ConnectionClosed:
            pass
        finally:
            if self.connections.get(identity) is link:
                del self.connections[identity]
            await self._tell()

    async def _got(self, identity: str, link: ServerConnection, text: str) -> None:
        self._watch(identity, "in", text)
        try:
            kind, message_id, *rest = json.loads(text)
            if kind in (CALL, SEND):
                action, payload = rest
                await self._called(identity, link, kind, message_id, action, payload)
            else:
                self._answered(kind, message_id, rest)
        except (ValueError, TypeError, KeyError, IndexError) as error:
            self.invalid.append(f"{text[:200]}: {error!r}")

    async def _called(self, identity: str, link: ServerConnection, kind: int, message_id: str, action: str, payload: Payload) -> None:
        if self.validate:
            self._check(action, payload)
        if self.keep:
            self._remember(identity, action, payload)
        if kind == CALL and self.behaviour.delay_s:
            task = asyncio.ensure_future(self._answer(identity, link, message_id, action, payload))
            self._late.add(task)
            task.add_done_callback(self._late.discard)
        elif kind == CALL:
            await self._answer(identity, link, message_id, action, payload)
        await self._tell()

    def _remember(self, identity: str, action: str, payload: Payload) -> None:
        self.received.append((identity, action, payload))
        if action == "TransactionEvent":
            self.sessions.setdefault(payload["transactionInfo"]["transactionId"], Session(identity)).events.append(payload)

    def _check(self, action: str, payload: Payload) -> None:
        from chargepoint.ocpp import schemas

        name = schemas.request_name(SCHEMAS, action)
        violation = schemas.check(SCHEMAS, name, payload, received=True) if name else None
        if name is None or violation:
            self.invalid.append(f"{action}: {violation.description if violation else 'no such action'}")

    def _answered(self, kind: int, message_id: str, rest: list[Any]) -> None:
        future = self._waiting.get(message_id)
        if future is None or future.done():
            return
        if kind == CALLRESULT:
            future.set_result(rest[0])
        else:
            future.set_exception(Refused(str(rest[0]), str(rest[1])))

    async def _answer(self, identity: str, link: ServerConnection, message_id: str, action: str, payload: Payload) -> None:
        if self.behaviour.delay_s:
            await asyncio.sleep(self.behaviour.delay_s)
        told = self.behaviour.answer(message_id, action, payload) if self.behaviour.answer else None
        if told is False:
            return
        reply = self._decent(action, payload) if told is None else told
        text = reply if isinstance(reply, str) else json.dumps(reply if isinstance(reply, list) else [CALLRESULT, message_id, reply])
        await self._send(identity, link, text)
        if action == "SignCertificate" and told is None:
            self._sign(identity, payload)

    def _sign(self, identity: str, payload: Payload) -> None:
        follow_up = self.signer.follow_up(payload) if self.signer else None
        if follow_up is not None:
            task = asyncio.ensure_future(self._deliver(identity, follow_up))
            self._late.add(task)
            task.add_done_callback(self._late.discard)

    async def _deliver(self, identity: str, follow_up: Payload) -> None:
        with contextlib.suppress(KeyError, TimeoutError, Refused):  # a station that is gone asks again
            answer = await self.call(identity, "CertificateSigned", follow_up)
            self.signed.append((identity, answer))
            await self._tell()

    async def _send(self, identity: str, link: ServerConnection, text: str) -> None:
        from websockets.exceptions import ConnectionClosed

        self._watch(identity, "out", text)
        with contextlib.suppress(ConnectionClosed):
            await link.send(text)

    def _watch(self, identity: str, direction: str, text: str) -> None:
        for watcher in self.watchers:
            watcher(identity, direction, text)

    async def _tell(self) -> None:
        async with self._news:
            self._news.notify_all()

    # ---- answers

    def _decent(self, action: str, payload: Payload) -> Any:
        match action:
            case "BootNotification":
                return {"currentTime": self._time(), "interval": self.behaviour.interval_s, "status": self.behaviour.boot_status}
            case "Heartbeat":
                return {"currentTime": self._time()}
            case "Authorize":
                return {"idTokenInfo": {"status": self._status(payload["idToken"])}}
            case "TransactionEvent":
                return {"idTokenInfo": {"status": self._status(payload["idToken"])}} if "idToken" in payload else {}
            case "SignCertificate" if self.signer:
                return self.signer.answer(payload)
            case "GetCertificateChainStatus":
                hashes = [each["certificateHashData"] for each in payload["certificateStatusRequests"]]
                failed = {"source": "OCSP", "status": "Failed", "nextUpdate": self._time()}
                return {"certificateStatus": [{"certificateHashData": each, **failed} for each in hashes]}
            case _:
                return DECENT.get(action, {})

    def _status(self, token: Payload) -> str:
        if token["type"] in ("Central", "NoAuthorization"):
            return "Accepted"
        return self.behaviour.tokens.get(token["idToken"], self.behaviour.other_tokens)

    def _time(self) -> str:
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _identity(path: str) -> str:
    return unquote(urlsplit(path).path.rstrip("/").rpartition("/")[2])


def _decoded(encoded: str) -> str:
    try:
        return base64.b64decode(encoded, validate=True).decode()
    except ValueError:
        return ""
