"""The console script `chargepoint`. Each command imports what it needs when it is called; `run` imports nothing else of bench."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

DEFAULT_CONFIG = Path("/etc/chargepoint/chargepoint.toml")
EXIT_WRONG, EXIT_INTERRUPTED, EXIT_PIPE = 1, 130, 141
MENDABLE = {
    "ConfigError",
    "StartError",
    "JournalError",
    "OptionError",
    "CodecError",
    "BoardSilent",
    "ExiError",
    "InputError",
    "CaptureError",
    "PkiError",
    "NoCharger",
    "ScenarioError",
    "TlsMissing",
    "NotRunning",
}
"""Errors, by name, since nothing is imported here, whose message says what is wrong with what was given."""
EXTRAS = {"pyroute2": "plc", "rich": "bench", "starlette": "bench", "uvicorn": "bench", "serialx": "serial"}
"""Package -> the extra that brings it."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0: done; 1: the input or the configuration is wrong, in words on stderr; 2: the command line is."""
    given = _parser().parse_args(arguments)
    try:
        code = int(given.command(given))
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return EXIT_INTERRUPTED
    except BrokenPipeError:  # `| head` has seen enough; Python would complain once more while it closes stdout
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_PIPE
    except Exception as error:
        words = _words(error)
        if not words:
            raise
        print(words, file=sys.stderr)
        return EXIT_WRONG


def _words(error: Exception) -> str:
    """What a person can mend, in words; "" is a bug, which shows where it is."""
    if isinstance(error, ModuleNotFoundError) and error.name in EXTRAS:
        return f"this needs the package {error.name}: pip install 'chargepoint[{EXTRAS[error.name]}]'"
    known = isinstance(error, OSError | EOFError | UnicodeError) or type(error).__name__ in MENDABLE
    return (str(error) or type(error).__name__) if known else ""


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="chargepoint", description="Turns an embedded Linux board into an EV charging station.")
    parser.set_defaults(command=lambda given: _help(parser))
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, command: Callable[[argparse.Namespace], int], words: str, **how: Any) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=words, description=words, **how)
        sub.set_defaults(command=command)
        return sub

    demo = add("demo", _demo, "everything simulated: a car charges at once, shown live; Ctrl-C ends it")
    demo.add_argument("--seconds", type=float, default=0.0, help="end by itself after so long")
    demo.add_argument(
        "--hlc", choices=("iso20-ac", "iso20-dc", "iso2-ac", "iso2-dc", "din"), default="", help="the car talks, at a wallbox or at a DC charger"
    )  # fmt: skip
    run = add("run", _run, "the station on the hardware that the configuration names")
    run.add_argument("--config", type=Path, default=DEFAULT_CONFIG, metavar="FILE")
    run.add_argument("--json", action="store_true", help="log as JSON, one object a line")
    run.add_argument("--log-level", choices=("debug", "info", "warning", "error"), default="info")
    _add_monitor(add, commands)
    check = add("check-config", _check, "say what is wrong with a configuration file, with line and allowed range")
    check.add_argument("file", type=Path, metavar="FILE")
    doctor = add(
        "doctor", _doctor, "say what hangs on the interface of a power-line modem, what is wrong with it and what to do; exit 0 or 1"
    )
    what = doctor.add_mutually_exclusive_group(required=True)
    what.add_argument("--config", type=Path, metavar="FILE", help="all interfaces that it names")
    what.add_argument("--iface", default="", metavar="IF")
    doctor.add_argument("--set-key", action="store_true", help="try whether the modem takes a key; it leaves its network")
    bench = add("bench-station", _bench, "the station on the simulated board, driven through its control port")
    bench.add_argument("file", type=Path, metavar="FILE.json")
    replay = add("replay", _replay, "a journal's inputs through today's code; exit 1 where it does something else")
    replay.add_argument("journal", type=Path, metavar="JOURNAL", help="a segment, or the folder of them")
    replay.add_argument("--quiet", action="store_true", help="print differences only")
    export = add("export-journal", _export, "a journal without tokens, passwords and seeds, to standard output")
    export.add_argument("journal", type=Path, metavar="JOURNAL")
    export.add_argument("--salt", default="", help="the same salt names the same token alike; one is drawn without it")
    report = add("report", _report, "the sessions with vehicles that a journal holds, as pictures on a page")
    report.add_argument("journal", type=Path, metavar="JOURNAL", help="a segment, or the folder of them")
    report.add_argument("folder", type=Path, metavar="DIR", help="for index.html and an SVG for each session")
    _add_v2g(add)
    # Whatever comes behind these, --help too, is for their own parsers, which are not imported before.
    line = add(
        "bench-line", _line, "a simulated power line, with its modems, between two network interfaces", prefix_chars="\0", add_help=False
    )
    line.add_argument("rest", nargs=argparse.REMAINDER)
    certs = add(
        "certs", _certs, "certificates: make a test PKI, inspect, verify, request, list, install", prefix_chars="\0", add_help=False
    )
    certs.add_argument("rest", nargs=argparse.REMAINDER)
    exi = add("exi", _exi, "V2G messages between EXI and JSON, bit by bit, and out of captures", prefix_chars="\0", add_help=False)
    exi.add_argument("rest", nargs=argparse.REMAINDER)
    return parser


def _add_monitor(add: Callable[..., argparse.ArgumentParser], commands: Any) -> None:
    """Looking into a station that runs."""

    def where(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
        place = parser.add_mutually_exclusive_group()
        place.add_argument("--config", type=Path, metavar="FILE", help="of the station; /etc/chargepoint/chargepoint.toml")
        place.add_argument("--state-dir", type=Path, metavar="DIR", help="of the station, where there is no such file")
        parser.add_argument("--json", action="store_true")
        return parser

    where(add("status", _status, "what a running station does: CSMS, EVSEs, transactions, outbox, and why a start was refused"))
    names = where(add("variables", _variables, "the variables of a running station as the CSMS sees them; exit 1 where there is none"))
    names.add_argument("wanted", nargs="?", default="", metavar="PART", help="of the name: those only")
    ocpp = commands.add_parser("ocpp", help="what a running station and its CSMS say to each other")
    ocpp.set_defaults(command=lambda given: _help(ocpp))
    what = ocpp.add_subparsers(metavar="COMMAND")
    tail = where(what.add_parser("tail", help="the messages as they pass, until Ctrl-C"))
    tail.add_argument("actions", nargs="*", metavar="ACTION", help="these only, with their answers")
    tail.set_defaults(command=_tail)


def _add_v2g(add: Callable[..., argparse.ArgumentParser]) -> None:
    """Both sides of a V2G session, alone and together."""
    secc = add("secc", _secc, "the charger's side of a V2G session alone, on simulated power; EIM is accepted after 1 s")
    secc.add_argument("--iface", required=True, metavar="IF", help="SDP and TCP on its link-local address")
    secc.add_argument("--pki", type=Path, metavar="DIR", help="a folder as `certs testpki` writes it; needed for TLS")
    secc.add_argument(
        "--protocols",
        "--protocol",
        default="any",
        metavar="P,..",
        help="iso20-dc, iso20-ac, iso2-dc, iso2-ac, din; iso2: both of it; any: all",
    )
    secc.add_argument(
        "--services",
        "--service",
        default="any",
        metavar="S,..",
        help="AC, AC_BPT, DC, DC_BPT; any: all of these; only by name: ac-der-iec, ac-der-sae, wpt, acdp, acdp-bpt; iso2 has AC and DC, din DC",
    )
    secc.add_argument("--tls", choices=("none", "1.2", "1.3", "any"), default="none")
    secc.add_argument("--auth", default="eim", metavar="A,..", help="eim, pnc; pnc-p256: for peers with no other keys, in tests")
    secc.add_argument("--control", default="any", metavar="C,..", help="scheduled, dynamic; any: both")
    secc.add_argument("--sessions", type=int, default=0, metavar="N", help="so many at once: for benches of makers of vehicles")
    secc.add_argument("--quiet", action="store_true", help="do not print the messages")
    secc.add_argument("--patient", action="store_true", help="wait 10 s for a request of the loop: for vehicles that are slow programs")
    secc.add_argument("--slac", action="store_true", help="match over the power line first")
    ev = add("ev", _ev, "one simulated vehicle, one V2G session; exit 0 when it came to its SessionStop")
    ev.add_argument("--iface", required=True, metavar="IF", help="where the charger is looked for by SDP")
    ev.add_argument("--pki", type=Path, metavar="DIR", help="a folder as `certs testpki` writes it; needed for TLS")
    ev.add_argument(
        "--protocol",
        "--protocols",
        action="append",
        metavar="P,..",
        help="iso20-dc, iso20-ac, iso2-dc, iso2-ac, din; iso2: what carries the service; the first is preferred",
    )
    ev.add_argument(
        "--service", "--services", default="DC", metavar="S", help="AC, AC_BPT, DC, DC_BPT, ac-der-iec, ac-der-sae, wpt, acdp, acdp-bpt"
    )
    ev.add_argument("--vehicle", choices=("compact", "truck", "city"), default="compact", help="city: AC on one phase, 32 A")
    ev.add_argument("--tls", choices=("none", "1.2", "1.3", "any"), default="none")
    ev.add_argument("--auth", default="eim", metavar="A,..", help="eim; pnc: by contract only; pnc,eim: else by card; pnc-p256: in tests")
    ev.add_argument("--install", action="store_true", help="ask for a contract though there is one; needs --auth pnc")
    ev.add_argument("--update", action="store_true", help="ask for the contract anew before it pays, by ISO 15118-2; needs --auth pnc")
    ev.add_argument("--control", default="any", metavar="C", help="scheduled, dynamic")
    ev.add_argument("--lax", action="store_true", help="take any voltage at the precharge: for a charger that only pretends")
    ev.add_argument("--patient", action="store_true", help="wait 10 s for each response at least: for chargers that are slow programs")
    ev.add_argument("--loops", type=int, default=10, metavar="N", help="exchanges in the charge loop")
    ev.add_argument("--slac", action="store_true", help="match over the power line first")
    scenario = add(
        "scenario",
        _scenario,
        "a session of our charger and our vehicle as a file tells it, on virtual time; exit 1 where it ends otherwise",
    )
    what = scenario.add_mutually_exclusive_group(required=True)
    what.add_argument("name", nargs="?", metavar="FILE|NAME", help="a TOML file, or one of those that are there")
    what.add_argument("--list", action="store_true", help="those that are there")
    scenario.add_argument("--svg", type=Path, metavar="FILE", help="draw its diagram")


def _help(parser: argparse.ArgumentParser) -> int:
    print(parser.format_help(), end="")
    return 0


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"chargepoint {version('chargepoint')}"
    except PackageNotFoundError:
        return "chargepoint (not installed)"


def _demo(given: argparse.Namespace) -> int:
    from bench.demo import main

    return main(given.seconds, given.hlc)


def _run(given: argparse.Namespace) -> int:
    from chargepoint.runtime.run import main

    return main(given.config, as_json=given.json, level=given.log_level)


def _state_dir(given: argparse.Namespace) -> Path:
    if given.state_dir is not None:
        return Path(given.state_dir)
    from chargepoint.config_file import read

    return Path(read(given.config or DEFAULT_CONFIG).state_dir)


def _status(given: argparse.Namespace) -> int:
    from chargepoint.runtime.monitor.shown import show_status

    return show_status(_state_dir(given), sys.stdout, as_json=given.json)


def _variables(given: argparse.Namespace) -> int:
    from chargepoint.runtime.monitor.shown import show_variables

    return show_variables(_state_dir(given), sys.stdout, given.wanted, as_json=given.json)


def _tail(given: argparse.Namespace) -> int:
    from chargepoint.runtime.monitor.shown import show_tail

    return show_tail(_state_dir(given), sys.stdout, tuple(given.actions), as_json=given.json)


def _check(given: argparse.Namespace) -> int:
    import asyncio

    from chargepoint.config_file import read
    from chargepoint.runtime.main import check_board
    from chargepoint.runtime.run import make_board

    config = read(given.file)

    async def asked() -> list[str]:
        """A board that is not started knows already what its options say."""
        return check_board(config, make_board(config))

    told = asyncio.run(asked())
    print(f"{given.file}: right: {len(config.evses)} EVSE, board {config.board}, CSMS {config.csms.url or 'none'}", *told, sep="\n  ")
    return 0


def _doctor(given: argparse.Namespace) -> int:
    from chargepoint.config_file import read
    from chargepoint.runtime.doctor import main

    return main(read(given.config) if given.config else None, given.iface, sys.stdout, set_key=given.set_key)


def _bench(given: argparse.Namespace) -> int:
    from bench.bench_station import main

    return main(given.file)


def _replay(given: argparse.Namespace) -> int:
    from chargepoint.journal import read, replay, words
    from chargepoint.runtime.journal_file import lines
    from chargepoint.runtime.vendors import installed

    count = different = 0
    for each in replay(read(lines(given.journal)), installed()):
        count += 1
        if not given.quiet:
            for command in each.now:
                print(f"{each.entry.tick.mono:.3f} {words(command)}")
        if not each.same:
            different += 1
            print(f"input {each.number}, {each.entry.event}: {each.first_difference}", file=sys.stderr)
    print(f"{count} inputs, {different} different", file=sys.stderr)
    return 1 if different else 0


def _export(given: argparse.Namespace) -> int:
    import secrets

    from chargepoint.journal_export import redacted
    from chargepoint.runtime.journal_file import lines

    salt = given.salt.encode() or secrets.token_bytes(16)
    for line in redacted(lines(given.journal), salt):
        print(line)
    return 0


def _certs(given: argparse.Namespace) -> int:
    from bench.certs_commands import main

    return main(given.rest)


def _report(given: argparse.Namespace) -> int:
    from bench.report.page import write

    write(given.journal, given.folder, sys.stdout)
    return 0


def _secc(given: argparse.Namespace) -> int:
    from bench.v2g.secc import Options, main

    return main(
        Options(
            given.iface,
            given.pki,
            given.protocols,
            given.services,
            given.tls,
            given.control,
            not given.quiet,
            given.patient,
            given.sessions,
            given.slac,
            given.auth,
        )
    )


def _ev(given: argparse.Namespace) -> int:
    from bench.v2g.ev import Options, main

    return main(
        Options(
            given.iface,
            given.pki,
            ",".join(given.protocol or ["any"]),
            given.service,
            given.tls,
            given.control,
            given.loops,
            given.lax,
            spec=given.vehicle,
            slac=given.slac,
            auth=given.auth,
            patient=given.patient,
            install=given.install,
            update=given.update,
        )
    )


def _scenario(given: argparse.Namespace) -> int:
    from bench.v2g.scenario import listed, main

    if given.list:
        print(*listed(), sep="\n")
        return 0
    return main(given.name, given.svg, sys.stdout)


def _line(given: argparse.Namespace) -> int:
    from bench.plc.veth import main

    return main(given.rest)


def _exi(given: argparse.Namespace) -> int:
    from bench.exi.commands import main

    return main(given.rest)


if __name__ == "__main__":
    raise SystemExit(main())
