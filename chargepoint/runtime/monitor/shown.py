"""`chargepoint status`, `chargepoint variables` and `chargepoint ocpp tail`: what the monitor of a running station tells, for people, or as JSON."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, TextIO

from chargepoint.runtime.monitor.server import SOCKET

CONNECT_S = 5.0
MOST_CALLS = 256
"""Calls that a tail remembers until their answer comes."""
MOST_REMEMBERED = 64
"""Characters of a message id and of an action that it remembers."""


class NotRunning(ConnectionError):
    """There is no station on this state_dir, or not for this user, or it sends us away: in words."""


def ask(state_dir: Path, **question: Any) -> Iterator[Any]:
    """The answers, as they come. Raises NotRunning."""
    path = state_dir / SOCKET
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as line:
        line.settimeout(CONNECT_S)
        try:
            line.connect(str(path))
        except (FileNotFoundError, ConnectionRefusedError):
            raise NotRunning(f"{state_dir}: no station is running there") from None
        except OSError as error:
            raise NotRunning(f"{path}: {error.strerror or error}") from None
        with contextlib.suppress(ConnectionError):  # sent away before the question: the reason is there to read
            line.sendall(json.dumps(question).encode() + b"\n")
        line.settimeout(None)
        with line.makefile("rb") as answers, contextlib.suppress(ConnectionResetError):
            for each in answers:
                found = json.loads(each)
                if isinstance(found, dict) and found.keys() == {"error"}:
                    raise NotRunning(f"{path}: {visible(str(found['error']))}")
                yield found


def _ask_once(state_dir: Path, **question: Any) -> Any:
    for found in ask(state_dir, **question):
        return found
    raise NotRunning(f"{state_dir / SOCKET}: no answer")


def visible(text: str) -> str:
    r"""A line as it may go to a terminal: a peer's words must not move somebody's cursor. JSON stays the same JSON.

    >>> print(visible("a\x1b[2J\x9b2J\u202eé …"))
    a\u001b[2J\u009b2J\u202eé …
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)


def _show(out: TextIO, lines: Iterable[str]) -> None:
    out.write("".join(f"{visible(line)}\n" for line in lines))


def _json(value: Any) -> list[str]:
    return json.dumps(value, indent=2, ensure_ascii=False).split("\n")


def show_status(state_dir: Path, out: TextIO, *, as_json: bool = False) -> int:
    """`chargepoint status`."""
    found = _ask_once(state_dir, ask="status")
    _show(out, _json(found) if as_json else status_lines(found))
    return 0


def show_variables(state_dir: Path, out: TextIO, wanted: str = "", *, as_json: bool = False) -> int:
    """`chargepoint variables`; 1 where none is of that name."""
    found = _ask_once(state_dir, ask="variables", wanted=wanted)
    _show(out, _json(found) if as_json else variable_lines(found))
    return 0 if found else 1


def show_tail(state_dir: Path, out: TextIO, actions: tuple[str, ...] = (), *, as_json: bool = False) -> int:
    """`chargepoint ocpp tail`: until somebody ends it, or the station does. `actions`: only these, with their answers."""
    tail = Tail(actions)
    for each in ask(state_dir, ask="tail"):
        if (shown := tail.line(each)) is not None:
            _show(out, (json.dumps(each, ensure_ascii=False) if as_json else shown,))
            out.flush()
    return 0


def status_lines(found: dict[str, Any]) -> Iterator[str]:
    """For people."""
    station, link, outbox = found["station"], found["link"], found["outbox"]
    yield f"{station['serial'] or 'station'}, {station['board']}, {station['version']}, {station['time']}{'' if station['clock_set'] else ' (nobody has set the clock)'}"
    if link["connected"]:
        yield f"CSMS: connected as {link['identity']!r}, slot {link['slot']}, security profile {link['security_profile']}, {link['subprotocol']}, {link['registration'] or 'not yet booted'}"
    else:
        yield f"CSMS: not connected{_for(link['offline_s'])}"
    for each in found["profiles"]:
        yield f"  slot {each['slot']}: {each['url']}, security profile {each['security_profile']}{_why(each['not_dialled'])}"
    octets = f", {outbox['octets']} octets" if outbox["waiting"] else ""
    yield f"outbox: {outbox['waiting']} waiting{octets}, {outbox['set_aside']} set aside"
    for each in found["evses"]:
        yield from _evse_lines(each)
    for each in found["refused"]:
        yield f"refused {_ago(each['ago_s'])}: EVSE {each['evse']}, {each['why']}{_why(str(each['values'])) if each.get('values') else ''}"


def _evse_lines(evse: dict[str, Any]) -> Iterator[str]:
    words = [evse["charging_state"], "plugged" if evse["plugged"] else "free", "closed" if evse["power_closed"] else "open"]
    if not evse["operative"]:
        words.append("out of service")
    if evse["plugged"]:
        words.append(f"{evse['limit_A']:g} A{_why(evse['limit_reason'])}")
    yield f"EVSE {evse['id']}: {', '.join(words)}"
    if evse["transaction"]:
        yield f"  transaction {evse['transaction']}, {evse['token'] or 'nobody authorised'}"
    elif evse["token"]:
        yield f"  {evse['token']}, no transaction yet"
    if meter := evse["meter"]:
        yield f"  {meter['Wh'] / 1000:.3f} kWh, {'/'.join(f'{a:.1f}' for a in meter['A'])} A, {'/'.join(f'{v:.0f}' for v in meter['V'])} V"
    if vehicle := evse["vehicle"]:
        charge = "" if vehicle["soc_percent"] is None else f", {vehicle['soc_percent']} %"
        yield f"  vehicle {vehicle['evcc_id']}, {vehicle['protocol']}{charge}"
    for code, text in evse["faults"].items():
        yield f"  fault {code}: {text}"
    if said := evse["said"]:
        yield f"  the driver was told {said['key']} {_ago(said['ago_s'])}"


def variable_lines(found: list[dict[str, Any]]) -> Iterator[str]:
    """For people."""
    width = max((len(each["name"]) for each in found), default=0)
    for each in found:
        value = "…" if each["value"] is None else each["value"]
        unit = f" {each['unit']}" if each["unit"] and value else ""
        waits = "; counts after a reboot" if each["after_reboot"] else ""
        yield f"{each['name']:{width}}  {value}{unit}  ({each['type']}, {each['mutability']}{waits})"


class Tail:
    """Messages as lines; an answer knows its call."""

    def __init__(self, actions: tuple[str, ...] = ()) -> None:
        self.actions = {each.casefold() for each in actions}
        self.calls: dict[tuple[bool, str], str] = {}

    def line(self, told: dict[str, Any]) -> str | None:
        """Its line; None where it is not wanted.

        >>> tail = Tail()
        >>> tail.line({"time": "T", "out": True, "frame": [2, "7", "Heartbeat", {}]})
        'T > Heartbeat {}'
        >>> tail.line({"time": "T", "out": False, "frame": [3, "7", {"currentTime": "X"}]})
        'T <   Heartbeat {"currentTime": "X"}'
        """
        out, frame = bool(told["out"]), told["frame"]
        arrow = ">" if out else "<"
        if not isinstance(frame, list) or len(frame) < 3:
            return f"{told['time']} {arrow} {json.dumps(frame, ensure_ascii=False)}" if not self.actions else None
        kind, message_id = frame[0], str(frame[1])[:MOST_REMEMBERED]
        if kind in (2, 6):
            action, words = str(frame[2]), json.dumps(frame[3] if len(frame) > 3 else None, ensure_ascii=False)
            if kind == 2:
                self._remember((not out, message_id), action[:MOST_REMEMBERED])
        else:
            action = "  " + self.calls.pop((out, message_id), "?")
            words = json.dumps(frame[2] if kind == 3 else frame[2:], ensure_ascii=False)
        if self.actions and action.strip().casefold() not in self.actions:
            return None
        return f"{told['time']} {arrow} {action} {words}"

    def _remember(self, call: tuple[bool, str], action: str) -> None:
        self.calls.pop(call, None)
        self.calls[call] = action
        if len(self.calls) > MOST_CALLS:
            del self.calls[next(iter(self.calls))]


def _for(seconds: float | None) -> str:
    return "" if seconds is None else f" for {seconds:g} s"


def _ago(seconds: float) -> str:
    return f"{seconds:g} s ago"


def _why(why: str) -> str:
    return f" ({why})" if why else ""
