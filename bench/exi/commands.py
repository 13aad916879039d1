"""`chargepoint exi`: V2G messages between EXI and JSON, one or a stream of them, bit by bit, and out of captures."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.exi.given import NAMES, InputError, from_input, namespace, octets, schema_set, streams
from iso15118.exi import ExiError, codec_of, decode, decode_fragment, fragment_to_json, from_json, to_json
from iso15118.exi.errors import printable
from iso15118.exi.explain import HEADING, Piece, line, pieces
from iso15118.exi.json import Reader

if TYPE_CHECKING:
    from bench.exi.pcap import Line

SHORT = {namespace: name for name, namespace in NAMES.items()}
COLOURS = {"header": "2", "event": "36", "value": "32", "padding": "2", "rest": "2", "error": "1;31"}
"""Kind of piece -> SGR parameters of a terminal."""


def main(arguments: Sequence[str]) -> int:
    """Exit code 0; 1: the input is wrong; 2: the command line is. Raises InputError, ExiError for the caller to tell."""
    given = _parser().parse_args(arguments)
    return int(given.action(given))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="chargepoint exi", description="V2G messages between EXI and JSON, bit by bit, and out of captures."
    )
    parser.set_defaults(action=lambda _: _help(parser))
    actions = parser.add_subparsers(title="actions", metavar="ACTION")

    def add(name: str, action: Callable[[argparse.Namespace], int], words: str, operand: str = "") -> argparse.ArgumentParser:
        sub = actions.add_parser(name, help=words, description=f"{words[0].upper()}{words[1:]}.")
        sub.set_defaults(action=action)
        if operand:
            about = f"a namespace, or one of {', '.join(NAMES)}" + ("; a V2GTP frame says it by itself" if operand == "HEX" else "")
            sub.add_argument("--schema", type=_schema, required=operand != "HEX", metavar="NAME", help=about)
            sub.add_argument("--fragment", action="store_true", help="an element alone, as signatures digest it")
            sub.add_argument("given", nargs="*", metavar=operand, help="from standard input when it is absent or -")
        return sub

    add("decode", _decode, "EXI to JSON", "HEX")
    add("encode", _encode, "JSON to EXI", "JSON")
    add("explain", _explain, "EXI bit by bit, and where a broken stream breaks", "HEX")
    add("filter", _filter, 'a line {"ns", "hex"} in, a line {"ok"} or {"error"} out, until the input ends')
    add("encode-filter", _encode_filter, 'a line {"ns", "json"} in, a line {"hex"} or {"error"} out, until the input ends')
    capture = add("pcap", _pcap, "the V2G traffic of a capture (pcap, pcapng), messages as JSON")
    capture.add_argument("--explain", action="store_true", help="messages bit by bit as well")
    capture.add_argument("file", type=Path, metavar="FILE")
    return parser


def _help(parser: argparse.ArgumentParser) -> int:
    print(parser.format_help(), end="")
    return 0


def _schema(name: str) -> str:
    try:
        return namespace(name)
    except InputError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


# ---- one message


def _decode(given: argparse.Namespace) -> int:
    for schema, stream in streams(_octets(given), given.schema):
        print(_dumped(_decoded(schema, stream, fragment=given.fragment)))
    return 0


def _encode(given: argparse.Namespace) -> int:
    text = " ".join(given.given) if _on_line(given) else sys.stdin.buffer.read()
    print(_encoded(given.schema, _parsed(text), fragment=given.fragment).hex())
    return 0


def _explain(given: argparse.Namespace) -> int:
    """Exit code 1 when a stream is broken."""
    broken = 0
    for number, (schema, stream) in enumerate(streams(_octets(given), given.schema)):
        if number:
            print()
        if _explained(stream, schema, fragment=given.fragment):
            print("\n" + _dumped(_decoded(schema, stream, fragment=given.fragment)))
        else:
            broken = 1
    return broken


def _explained(stream: bytes, schema: str, *, fragment: bool = False) -> bool:
    """Its pieces; whether it is whole."""
    painted = _painting()
    found = pieces(stream, schema, fragment=fragment)
    print(HEADING)
    for each in found:
        print(_painted(each) if painted else line(each))
    return all(each.kind != "error" for each in found)


def _painting() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def _painted(piece: Piece) -> str:
    colour = "1;31" if piece.here else COLOURS[piece.kind]
    return f"\x1b[{colour}m{line(piece)}\x1b[0m"


def _on_line(given: argparse.Namespace) -> bool:
    return given.given not in ([], ["-"])


def _octets(given: argparse.Namespace) -> bytes:
    return octets(" ".join(given.given)) if _on_line(given) else from_input(sys.stdin.buffer.read())


def _dumped(document: Any) -> str:
    """ASCII only: a text of the message moves no cursor."""
    return json.dumps(document, indent=2)


# ---- a capture


def _pcap(given: argparse.Namespace) -> int:
    """Exit code 1 when a message is broken."""
    from bench.exi.pcap import session

    broken, start = 0, None
    for each in session(given.file, decode):
        captured = each.captured
        start = captured.time if start is None else start
        print(printable(_told(each, captured.time - start)))
        if each.message is not None:
            print("      " + json.dumps(to_json(each.message)))
        schema = each.namespace or schema_set(captured.type, captured.octets) if captured.kind == "v2gtp" else ""
        if given.explain and schema:
            _explained(captured.octets, schema)
        broken |= captured.kind == "v2gtp" and bool(schema) and each.message is None
    return int(broken)


def _told(each: Line, seconds: float) -> str:
    """One line: packet, seconds since the first one, ends, what it is."""
    captured = each.captured
    ends = f"{captured.source} > {captured.destination}  " if captured.source else ""
    words = [each.name, f"({SHORT[each.namespace]})" if each.namespace else "", each.note and f"[{each.note}]"]
    kind = f"{captured.type:04X}" if captured.kind == "v2gtp" else captured.kind
    return f"{captured.number:>5} {seconds:>11.6f}  {ends}{kind}  {' '.join(filter(None, words))}"


# ---- a line each


def _filter(given: argparse.Namespace) -> int:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return {"ok": _decoded(_text(asked, "ns"), octets(_text(asked, "hex")), fragment=asked.get("fragment") is True)}

    return _each_line(answer)


def _encode_filter(given: argparse.Namespace) -> int:
    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        return {"hex": _encoded(_text(asked, "ns"), asked.get("json"), fragment=asked.get("fragment") is True).hex()}

    return _each_line(answer)


def _each_line(answer: Callable[[dict[str, Any]], dict[str, Any]]) -> int:
    """One line out for each line in, at once, whatever is in it."""
    out = sys.stdout
    for asked in sys.stdin.buffer:
        out.write(json.dumps(_answered(answer, asked)) + "\n")
        out.flush()
    return 0


def _answered(answer: Callable[[dict[str, Any]], dict[str, Any]], asked: bytes) -> dict[str, Any]:
    try:
        return answer(_object(asked))
    except (ExiError, InputError) as error:
        return {"error": f"ExiError: {error}"}
    except Exception as error:  # noqa: BLE001 a bug of ours: told by its own name, and the next line is answered
        return {"error": f"{type(error).__name__}: {error}"}


def _object(asked: bytes) -> dict[str, Any]:
    found = _parsed(asked)
    if not isinstance(found, dict):
        raise InputError("the line is no JSON object")
    return found


def _text(asked: dict[str, Any], key: str) -> str:
    found = asked.get(key)
    if not isinstance(found, str):
        raise InputError(f"{key!r} is no text" if key in asked else f"{key!r} is missing")
    return namespace(found) if key == "ns" else found


# ---- both


def _parsed(text: str | bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"no JSON: {error}") from None


def _decoded(schema: str, stream: bytes, *, fragment: bool) -> Any:
    return fragment_to_json(*decode_fragment(stream, schema), schema) if fragment else to_json(decode(stream, schema))


def _encoded(schema: str, document: Any, *, fragment: bool) -> bytes:
    codec = codec_of(schema)
    if fragment:
        return codec.encode_fragment(*Reader(codec.schema).fragment(document))
    return codec.encode(from_json(document, schema))
