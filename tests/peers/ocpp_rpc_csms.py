"""npm `ocpp-rpc` in strict mode as CSMS, in a node process of its own: `ocpp_rpc/server.js`.

Its validator (ajv) checks both directions; what it refuses stands in `invalid`. For OCPP 2.1 it is given the official
schemas that ship in PyPI `ocpp`; 2.0.1 and 1.6 are built into it.

What it cannot do, seen in its source and in `test_peers.py`: it knows the message types 2, 3 and 4 only. A SEND (6) or a
CALLRESULTERROR (5) of the station is answered by `[4, "-1", "MessageTypeNotSupported", ...]` and stands in `invalid` with
the action "": a test that lets the station send one has to expect it there. Calls to a station go one at a time.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from asyncio.subprocess import PIPE, Process
from contextlib import suppress
from dataclasses import fields, replace
from importlib.resources import files
from itertools import count
from pathlib import Path
from typing import Any

from tests.peers.foreign_csms import CallRefused, Connection, ForeignCsms, Invalid, Payload, Settings

SERVER = Path(__file__).with_name("ocpp_rpc") / "server.js"
# Settings -> the server's words.
WORDS = {
    "protocols": "protocols", "passwords": "passwords", "tls": "tls", "client_certificate": "clientCertificate", "boot_status": "bootStatus",
    "interval_s": "interval", "tokens": "tokens", "unknown_token": "unknownToken", "answers": "answers", "refuse": "refuse", "port": "port",
}  # fmt: skip


def node() -> str:
    """The node that came by pip with this interpreter."""
    return str(Path(sys.executable).with_name("node"))


def write_schemas(folder: Path) -> int:
    """The schemas of PyPI `ocpp` under the names that ocpp-rpc looks up; returns how many."""
    written = 0
    for entry in (files("ocpp") / "v21" / "schemas").iterdir():
        if entry.name.endswith(".json"):
            schema = json.loads(entry.read_text("utf-8-sig"))
            stem = entry.name.removesuffix(".json")
            suffix = ".conf" if stem.endswith("Response") else ".req"
            schema["$id"] = f"urn:{stem.removesuffix('Response').removesuffix('Request')}{suffix}"
            del schema["$schema"]
            (folder / entry.name).write_text(json.dumps(schema), "utf-8")
            written += 1
    return written


class OcppRpcCsms(ForeignCsms):
    """`async with OcppRpcCsms(Settings(...)) as csms:`; needs `npm ci` in `ocpp_rpc/` (`make test` does it)."""

    def __init__(self, settings: Settings | None = None) -> None:
        super().__init__(settings)
        self._process: Process | None = None
        self._reader: asyncio.Task[None] | None = None
        self._errors: asyncio.Task[bytes] | None = None
        self._ids = count(1)
        self._pending: dict[int, asyncio.Future[Payload]] = {}
        self._schemas = tempfile.TemporaryDirectory(prefix="ocpp-schemas-")

    async def start(self) -> None:
        """Start node and wait until it listens. Raises RuntimeError with what node said when it does not."""
        write_schemas(Path(self._schemas.name))
        config = {word: getattr(self.settings, name) for name, word in WORDS.items()}
        config |= {"schemas": self._schemas.name, "callTimeoutMs": self.settings.call_timeout_s * 1000}
        self._process = await asyncio.create_subprocess_exec(
            node(), str(SERVER), json.dumps(config), stdin=PIPE, stdout=PIPE, stderr=PIPE, limit=2**24
        )
        assert self._process.stderr is not None
        self._errors = asyncio.create_task(self._process.stderr.read())
        self._reader = asyncio.create_task(self._read_events())
        await self.wait_until(lambda: self.port or None, "listening node", timeout_s=30)

    async def stop(self) -> None:
        """Close its stdin, at which it ends; kill it if it does not within 5 s."""
        process = self._process
        if process is None or process.stdin is None or self._reader is None or self._errors is None:
            return
        process.stdin.close()
        with suppress(TimeoutError):
            async with asyncio.timeout(5):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await asyncio.gather(self._reader, self._errors)
        # The transport closes its pipes a turn later; without it the loop may be gone by then.
        await asyncio.sleep(0)
        self._schemas.cleanup()

    async def call(self, client: str, action: str, payload: Payload) -> Payload:
        """See ForeignCsms. An answer that its validator refuses is a CallRefused, too."""
        return await self._command({"call": action, "client": client, "payload": payload})

    async def set(self, **changes: Any) -> None:
        """See ForeignCsms."""
        known = {f.name for f in fields(Settings)}
        if unknown := changes.keys() - known:
            raise ValueError(f"no such setting: {', '.join(sorted(unknown))}")
        self.settings = replace(self.settings, **changes)
        await self._command({"set": {WORDS[name]: value for name, value in changes.items()}})

    async def send_raw(self, client: str, text: str) -> None:
        """See ForeignCsms."""
        await self._command({"raw": text, "client": client})

    async def close(self, client: str, code: int = 1001) -> None:
        """See ForeignCsms."""
        await self._command({"close": {"code": code}, "client": client})

    async def terminate(self, client: str) -> None:
        """See ForeignCsms."""
        await self._command({"terminate": True, "client": client})

    async def freeze(self, client: str) -> None:
        """Read nothing more of this station, pings included: a half-open link."""
        await self._command({"freeze": True, "client": client})

    async def _command(self, command: Payload) -> Payload:
        process = self._process
        if process is None or process.stdin is None:
            raise RuntimeError("not started")
        identifier = next(self._ids)
        future: asyncio.Future[Payload] = asyncio.get_running_loop().create_future()
        self._pending[identifier] = future
        process.stdin.write(json.dumps({**command, "id": identifier}).encode() + b"\n")
        try:
            return await future
        finally:
            del self._pending[identifier]

    async def _read_events(self) -> None:
        process = self._process
        if process is None or process.stdout is None or self._errors is None:
            return
        async for line in process.stdout:
            self._event(json.loads(line))
            self._tell()
        said = (await self._errors).decode("utf-8", "replace").strip()
        self.failure = f"node ended: {said}"
        for future in self._pending.values():
            if not future.done():
                future.set_exception(RuntimeError(self.failure))
        self._tell()

    def _event(self, event: Payload) -> None:
        match event:
            case {"event": "listening", "port": port}:
                self.port = port
            case {"event": "frame", "client": client, "direction": direction, "text": text}:
                self._saw(client, direction, text)
            case {"event": "connected", "client": client, "protocol": protocol, **rest}:
                self.connections.append(
                    Connection(client, protocol or "", rest["url"], rest["tls"], rest["cipher"], rest["subject"]),
                )
            case {"event": "disconnected", "client": client, "code": code}:
                self.disconnected.append((client, code))
            case {"event": "refused", "client": client, "code": code}:
                self.refused.append((client, code))
            case {"event": "tls_error", "description": words}:
                self.refused.append((words, 0))
            case {"event": "invalid", "client": client, "direction": direction, "action": action, "code": code, "description": words}:
                self.invalid.append(Invalid(client, direction, action, f"{code}: {words}"))
            case {"event": "bad", "client": client, "text": text, "code": code, "description": words}:
                self.invalid.append(Invalid(client, "in", "", f"{code}: {words}: {text[:200]}"))
            case {"event": "done", "id": int(identifier), "payload": payload}:
                self._settle(identifier, payload, None)
            case {"event": "failed", "id": int(identifier), "code": code, "description": words, "details": details}:
                self._settle(identifier, {}, CallRefused(code, words, details))
            case _:
                raise ValueError(f"the server said {event}")

    def _settle(self, identifier: int, payload: Payload, error: CallRefused | None) -> None:
        future = self._pending.get(identifier)
        if future is None or future.done():
            return
        if error is None:
            future.set_result(payload)
        else:
            future.set_exception(error)
