"""The control port (docs/reference/control-port.md): HTTP on a loopback address, in the board's process.

What concerns the body (cars, cards, faults, `/state`) is done here, so it works while the station hangs; the rest is the station's, and is
handed over the line.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from bench.board.driver import NotPossible
from bench.board.vehicles import ENERGY_FOR_S, Kind
from bench.verbs import STATION_VERBS, BadBody, integer, text, texts
from certs.pki_files import PkiError
from hal.sim.world import STATION
from hal.types import TokenPresented

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from bench.board.server import BoardProcess

PAYMENTS = ("externalpayment", "contract")
MOST_BODY = 64 << 10
"""Bytes of one request."""

Verb = Callable[["BoardProcess", dict[str, Any]], None]


def _evse(process: BoardProcess, body: dict[str, Any]) -> int:
    evse_id = integer(body, "connector_id")
    if evse_id not in process.board.world.evses:
        raise BadBody(f"connector_id: there is no EVSE {evse_id}; there are {sorted(process.board.world.evses)}")
    return evse_id


def _one_of(allowed: Sequence[Any], body: dict[str, Any], key: str) -> Any:
    """In any case; the first, where nothing is said. Raises BadBody."""
    chosen = text(body, key, 20, allowed[0])
    if chosen.lower() not in allowed:
        raise BadBody(f"{key}: one of {', '.join(allowed)}, not {chosen!r}")
    return chosen.lower()


class NotThere(Exception):
    """What is asked for is not implemented; the message says what."""


def _plug_in(process: BoardProcess, body: dict[str, Any], *, diode_fails: bool = False) -> None:
    evse_id = _evse(process, body)
    process.driver.plug_in(evse_id, diode_fails=diode_fails)
    process.vehicles.plain(evse_id)


def _plug_in_iso(*kinds: Kind) -> Verb:
    """Of a car that speaks one of these; the first, where nothing is said."""

    def plug_in(process: BoardProcess, body: dict[str, Any]) -> None:
        evse_id = _evse(process, body)
        kind: Kind = _one_of(kinds, body, "protocol")
        phases = _phases(body)
        by_contract = _one_of(PAYMENTS, body, "payment_type") == "contract"
        if by_contract and kind == "din":
            raise BadBody("payment_type: contract: DIN 70121 knows no contracts; protocol: iso20-dc or iso2-dc does")
        try:
            process.vehicles.plug_in(evse_id, kind, draws_s=ENERGY_FOR_S, by_contract=by_contract, phases=phases)
        except PkiError as error:
            raise NotThere(f"payment_type: contract: {error}") from None

    return plug_in


def _phases(body: dict[str, Any]) -> int:
    """Of a car, AC. Raises BadBody."""
    phases = 3 if body.get("phases") is None else integer(body, "phases")
    if phases not in (1, 3):
        raise BadBody(f"phases: 1 or 3, not {phases}")
    return phases


def _swipe(process: BoardProcess, body: dict[str, Any]) -> None:
    evses = body.get("connectors")
    evse_ids = tuple(evses) if isinstance(evses, list) and evses else (1,)
    if not all(isinstance(each, int) and each in process.board.world.evses for each in evse_ids):
        raise BadBody(f"connectors: a list of EVSE ids, of {sorted(process.board.world.evses)}")
    process.board.present(TokenPresented(text(body, "token", 255), text(body, "token_type", 20, "ISO14443"), evse_ids))


def _evse_or_board(process: BoardProcess, body: dict[str, Any]) -> int:
    return STATION if body.get("connector_id") == STATION else _evse(process, body)


def _raise_error(process: BoardProcess, body: dict[str, Any]) -> None:
    process.board.inject(_evse_or_board(process, body), text(body, "error_string", 50))


BOARD_VERBS: dict[str, Verb] = {
    "plug_in": _plug_in,
    "plug_out": lambda process, body: process.driver.plug_out(_evse(process, body)),
    "pause_session": lambda process, body: process.driver.pause(_evse(process, body)),
    "resume_session": lambda process, body: process.driver.resume(_evse(process, body)),
    "diode_fail": partial(_plug_in, diode_fails=True),
    "plug_in_ac_iso": _plug_in_iso("iso20-ac", "iso2-ac"),
    "plug_in_dc_iso": _plug_in_iso("iso20-dc", "iso2-dc", "din"),
    "plug_out_iso": lambda process, body: process.vehicles.plug_out(_evse(process, body)),
    "pause_iso_session": lambda process, body: process.vehicles.pause(_evse(process, body)),
    "resume_iso_session_ac": lambda process, body: process.vehicles.resume(_evse(process, body)),
    "resume_iso_session_dc": lambda process, body: process.vehicles.resume(_evse(process, body)),
    "swipe": _swipe,
    "raise_error": _raise_error,
}


async def act(process: BoardProcess, verb: str, body: Any) -> tuple[int, str]:
    """HTTP status, and a reason where it is not 200."""
    if not isinstance(body, dict):
        return 400, "the body is a JSON object"
    try:
        if verb in BOARD_VERBS:
            BOARD_VERBS[verb](process, body)
            process.save()
        elif verb == "clear_error":
            evse_id = _evse_or_board(process, body)
            code = text(body, "error_string", 50, "")
            process.board.clear(evse_id, code)
            if evse_id == STATION:
                return 200, ""
            return await process.ask_station({"verb": verb, "connector_id": evse_id, "error_string": code})
        elif verb in STATION_VERBS:
            texts(body)
            return await process.ask_station({**body, "verb": verb})
        else:
            known = sorted({*BOARD_VERBS, *STATION_VERBS, "clear_error"})
            return 501, f"{verb!r} is not implemented; there are {', '.join(known)}"
    except (BadBody, NotPossible) as error:
        return 400, str(error)
    except NotThere as error:
        return 501, f"{verb}: {error}"
    return 200, ""


def state(process: BoardProcess) -> dict[str, Any]:
    """The contract's `/state`: physics from here, what is believed from the station."""
    believed = process.believes.get("evses", {})
    evses = []
    for view in process.view():
        said = believed.get(str(view["id"]), {})
        shown = {key: view[key] for key in ("id", "pilot", "duty", "contactor", "meter", "faults")}
        shown["faults"] = sorted({*view["faults"], *said.get("faults", ())})
        evses.append({**shown, "transaction": said.get("transaction"), "session": said.get("session", "")})
    return {"connected": bool(process.believes.get("connected", False)), "evses": evses}


async def _parsed(request: Request) -> Any:
    octets = b""
    async for part in request.stream():
        octets += part
        if len(octets) > MOST_BODY:
            raise ValueError("the body is too large")
    return json.loads(octets) if octets.strip() else {}


def serving(host: str, port: int) -> Callable[[BoardProcess], Awaitable[None]]:
    """The control port as a task of the board's process."""

    async def serve(process: BoardProcess) -> None:
        import uvicorn
        from starlette.applications import Starlette
        from starlette.responses import JSONResponse, PlainTextResponse
        from starlette.routing import Route

        async def health(request: Request) -> Response:
            ready = bool(process.believes)
            return PlainTextResponse("ok" if ready else "the station has not started yet", 200 if ready else 503)

        async def show(request: Request) -> Response:
            return JSONResponse(state(process))

        async def do(request: Request) -> Response:
            try:
                body = await _parsed(request)
            except (ValueError, RecursionError) as error:
                return PlainTextResponse(f"the body is no JSON: {error}", 400)
            status, reason = await act(process, request.path_params["verb"], body)
            return PlainTextResponse(reason.encode(errors="replace"), status)

        app = Starlette(routes=[Route("/health", health), Route("/state", show), Route("/{verb}", do, methods=["POST"])])
        server = uvicorn.Server(uvicorn.Config(app, host=host, port=port, log_level="warning", lifespan="off"))
        await server.serve()

    async def guarded(process: BoardProcess) -> None:
        try:
            await serve(process)
        except SystemExit:  # uvicorn's word for a port that is taken
            await process.ask_station({"verb": "end", "why": f"control: nothing can listen on {host}:{port}"})
        except asyncio.CancelledError:
            return

    return guarded
