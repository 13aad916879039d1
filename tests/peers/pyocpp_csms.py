"""PyPI `ocpp`'s ChargePoint class as CSMS: foreign RPC code and routing for OCPP 2.1, over websockets, in this process.

It validates what it receives and what it sends. What it cannot do, seen in its source: it knows the message types 2, 3 and
4 only, and ignores a SEND (6) or a CALLRESULTERROR (5) with a log line; its conversion between camelCase and snake_case is
wrong for some fields (`limit_L2`), so `call` with such a field is refused by its own validator; its read loop waits for
each answer before it reads on.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
import ssl
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

import websockets
from ocpp.charge_point import camel_to_snake_case
from ocpp.exceptions import OCPPError
from ocpp.routing import on
from ocpp.v21 import ChargePoint, call, call_result
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.http11 import Request, Response

from tests.peers.foreign_csms import CALL, CALLERROR, CALLRESULT, CallRefused, Connection, ForeignCsms, Invalid, Payload

LOGGER = logging.getLogger("tests.pyocpp")
LOGGER.addHandler(logging.NullHandler())
LOGGER.propagate = False

WITHOUT_CONTENT = (
    "StatusNotification", "MeterValues", "NotifyEvent", "NotifyReport", "NotifyMonitoringReport", "NotifyDisplayMessages",
    "NotifyCustomerInformation", "NotifyChargingLimit", "ClearedChargingLimit", "FirmwareStatusNotification",
    "PublishFirmwareStatusNotification", "LogStatusNotification", "ReportChargingProfiles", "ReservationStatusUpdate",
    "SecurityEventNotification", "NotifySettlement", "NotifyPriorityCharging",
)  # fmt: skip


class PyocppCsms(ForeignCsms):
    """`async with PyocppCsms(Settings(...)) as csms:`. `{"never": True}` stops its reading, too, until the link closes."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._server: Server | None = None
        self._points: dict[str, _Point] = {}
        self._left: dict[str, int] = {}

    async def start(self) -> None:
        """Listen on 127.0.0.1."""
        self._server = await serve(
            self._serve, "127.0.0.1", self.settings.port, subprotocols=[websockets.Subprotocol(p) for p in self.settings.protocols],
            process_request=self._admit, ssl=self._tls(), ping_interval=None, logger=LOGGER,
        )  # fmt: skip
        self.port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close every connection."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()

    async def call(self, client: str, action: str, payload: Payload) -> Payload:
        """See ForeignCsms; the payload goes through the library's own dataclass for the action."""
        point = self._points.get(client)
        if point is None:
            raise CallRefused("NotConnected", client)
        start = len(self.frames)
        try:
            await point.call(getattr(call, action)(**camel_to_snake_case(payload)), suppress=False)
        except TimeoutError as error:
            raise CallRefused("TimeoutError", str(error)) from error
        except OCPPError as error:
            if not any(f.kind == CALLERROR and f.direction == "in" and f.action == action for f in self.frames[start:]):
                sent = any(f.direction == "out" and f.action == action for f in self.frames[start:])
                self.invalid.append(Invalid(client, "in" if sent else "out", action, f"{error.code}: {error.details}"))
            raise CallRefused(error.code, error.description, error.details) from error
        answer = next(f for f in self.frames[start:] if f.kind == CALLRESULT and f.direction == "in" and f.action == action)
        return dict(answer.payload)

    async def set(self, **changes: Any) -> None:
        """See ForeignCsms."""
        self.settings = replace(self.settings, **changes)
        self._left.clear()

    async def send_raw(self, client: str, text: str) -> None:
        """See ForeignCsms."""
        await self._points[client].connection.send(text)

    async def close(self, client: str, code: int = 1001) -> None:
        """See ForeignCsms."""
        await self._points[client].connection.websocket.close(code)

    async def terminate(self, client: str) -> None:
        """See ForeignCsms."""
        self._points[client].connection.websocket.transport.abort()

    def _tls(self) -> ssl.SSLContext | None:
        if self.settings.tls is None:
            return None
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.settings.tls["cert"], self.settings.tls["key"])
        if self.settings.client_certificate:
            context.load_verify_locations(self.settings.tls["ca"])
            context.verify_mode = ssl.CERT_REQUIRED
        return context

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        identity = _identity(request)
        status = self.settings.refuse
        if status is None and self.settings.passwords is not None:
            expected = base64.b64encode(f"{identity}:{self.settings.passwords.get(identity)}".encode()).decode()
            known = identity in self.settings.passwords and request.headers.get("Authorization") == f"Basic {expected}"
            status = None if known else 401
        if status is None:
            return None
        self.refused.append((identity, status))
        self._tell()
        return connection.respond(HTTPStatus(status), "refused\n")

    async def _serve(self, websocket: ServerConnection) -> None:
        if websocket.request is None:
            return
        identity = _identity(websocket.request)
        point = _Point(identity, _Recorded(self, identity, websocket), self)
        self._points[identity] = point
        tls = websocket.transport.get_extra_info("ssl_object")
        subject = dict(pair[0] for pair in tls.getpeercert()["subject"]) if tls and self.settings.client_certificate else {}
        self.connections.append(
            Connection(
                identity, websocket.subprotocol or "", websocket.request.path, tls and tls.version(), tls and tls.cipher()[0],
                subject.get("commonName"),
            )
        )  # fmt: skip
        self._tell()
        try:
            await point.start()
        except websockets.ConnectionClosed:
            pass
        finally:
            if self._points.get(identity) is point:
                del self._points[identity]
            self.disconnected.append((identity, websocket.close_code or 1006))
            self._tell()

    async def answer(self, action: str, request: Payload, link: ServerConnection) -> Any:
        """The library's call_result for one request. Raises OCPPError where the answers say so."""
        entry = dict(self.settings.answers.get(action, {}))
        if "times" in entry:
            left = self._left.setdefault(action, entry["times"])
            self._left[action] = left - 1
            entry = entry if left > 0 else {}
        await asyncio.sleep(entry.get("delayMs", 0) / 1000)
        if entry.get("never"):
            await link.wait_closed()
        if "error" in entry:
            raise _error(entry["error"], entry.get("description", ""))
        payload = entry["payload"] if "payload" in entry else self._decent(action, request)
        return getattr(call_result, action)(**camel_to_snake_case(payload))

    def _decent(self, action: str, request: Payload) -> Payload:
        now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        decent: dict[str, Callable[[], Payload]] = {
            "BootNotification": lambda: {"currentTime": now, "interval": self.settings.interval_s, "status": self.settings.boot_status},
            "Heartbeat": lambda: {"currentTime": now},
            "Authorize": lambda: {"idTokenInfo": self._token_info(request["id_token"])},
            "TransactionEvent": lambda: {"idTokenInfo": self._token_info(request["id_token"])} if "id_token" in request else {},
            "DataTransfer": lambda: {"status": "UnknownVendorId"},
            "SignCertificate": lambda: {"status": "Rejected"},
            "GetCertificateStatus": lambda: {"status": "Failed"},
            "Get15118EVCertificate": lambda: {"status": "Failed", "exiResponse": ""},
            "NotifyEVChargingNeeds": lambda: {"status": "Accepted"},
            "NotifyEVChargingSchedule": lambda: {"status": "Accepted"},
        }
        return decent[action]() if action in decent else {}

    def _token_info(self, token: Payload) -> Payload:
        if token["type"] in {"NoAuthorization", "Central"}:
            return {"status": "Accepted"}
        return {"status": self.settings.tokens.get(token["id_token"], self.settings.unknown_token)}


class _Recorded:
    """The connection that the ChargePoint class sees: records what passes."""

    def __init__(self, csms: PyocppCsms, client: str, websocket: ServerConnection) -> None:
        self.websocket = websocket
        self._csms = csms
        self._client = client

    async def recv(self) -> str | bytes:
        text = await self.websocket.recv()
        self._csms._saw(self._client, "in", str(text))
        if self._csms.frames[-1].kind not in {CALL, CALLRESULT, CALLERROR}:
            self._csms.invalid.append(Invalid(self._client, "in", "", f"not for the library: {text[:200]!r}"))
        return text

    async def send(self, text: str) -> None:
        if self.websocket.close_code is not None:
            return
        self._csms._saw(self._client, "out", text)
        self._note_refusal(text)
        await self.websocket.send(text)

    def _note_refusal(self, text: str) -> None:
        try:
            kind, _, code, words, details = json.loads(text)
        except ValueError:
            return
        expected = {entry.get("error") for entry in self._csms.settings.answers.values()}
        if kind == CALLERROR and code not in expected:
            action = self._csms.frames[-1].action
            self._csms.invalid.append(Invalid(self._client, "in", action, f"{code}: {words} {details}"))


class _Point(ChargePoint):  # type: ignore[misc]  # the library is untyped
    def __init__(self, identity: str, connection: _Recorded, csms: PyocppCsms) -> None:
        self.csms = csms
        self.connection = connection
        super().__init__(identity, connection, csms.settings.call_timeout_s, LOGGER)


def _handler(action: str) -> Any:
    async def handle(self: _Point, **request: Any) -> Any:
        return await self.csms.answer(action, request, self.connection.websocket)

    handle.__name__ = f"on_{action}"  # the library finds its handlers by this
    return on(action)(handle)


def _error(code: str, description: str) -> OCPPError:
    for kind in OCPPError.__subclasses__():
        if getattr(kind, "code", None) == code:
            return kind(description=description)
    return OCPPError(description=description)


def _identity(request: Request) -> str:
    return request.path.rstrip("/").rpartition("/")[2].partition("?")[0]


for _action in (
    "BootNotification", "Heartbeat", "Authorize", "TransactionEvent", "DataTransfer", "SignCertificate", "GetCertificateStatus",
    "Get15118EVCertificate", "NotifyEVChargingNeeds", "NotifyEVChargingSchedule", *WITHOUT_CONTENT,
):  # fmt: skip
    setattr(_Point, f"on_{_action}", _handler(_action))
