"""EXI: messages, starting, hostile octets and memory; `python -m bench.perf.exi [--quick]`.

Beside it in the same run: EXIficient as the PyPI package `iso15118` uses it (its JAR's JSON door, over py4j), and libcbv2g through ctypes where
`LIBCBV2G` names a shared library built from it. Of each message several medians are taken, turn by turn with the peers; the least one counts, for
whatever else the machine does can only add. Of starts the median counts.
"""

from __future__ import annotations

import ctypes
import gc
import math
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from bench import wheel
from bench.exi.exificient import java
from bench.fuzz import exi as fuzz
from bench.fuzz.forge import OCTETS, STYLES, Forge
from bench.fuzz.work import work
from bench.perf.table import Row, markdown
from iso15118.exi import ExiError, codec_of, decode, decode_fragment, encode, from_json
from iso15118.messages import SETS

ROOT = Path(__file__).parents[2]
MEDIANS, BATCHES = 5, 21
PEER_WARM_UP, PEER_CALLS = 50, 60
STARTS = 9
SAP, ISO2, COMMON = "urn:iso:15118:2:2010:AppProtocol", "urn:iso:15118:2:2013:MsgDef", "urn:iso:std:iso:15118:-20:CommonMessages"
AC, DC = "urn:iso:std:iso:15118:-20:AC", "urn:iso:std:iso:15118:-20:DC"
XMLDSIG = "http://www.w3.org/2000/09/xmldsig#"
HEADER = {"SessionID": "3FA9C40B52D718E6", "TimeStamp": 1795903200}


@dataclass(frozen=True, slots=True)
class Message:
    """What is measured: a message of about so many octets, and the time to reach."""

    what: str
    namespace: str
    octets: bytes
    reach_us: float


# ---- messages


def _vector(namespace: str, name: str, size: int) -> bytes:
    """The golden one whose size is nearest."""
    found = [
        bytes.fromhex(row["exi_hex"])
        for row in fuzz.rows()
        if row["ns"] == namespace and name in row["message"] and "document" in row["kind"]
    ]
    return min(found, key=lambda octets: abs(len(octets) - size))


def _made(namespace: str, **document: Any) -> bytes:
    return encode(from_json(document, namespace), namespace)


def _schedules(entries: int, tuples: int) -> bytes:
    """A ScheduleExchangeRes as a station would send it, quarter by quarter."""

    def power(at: int) -> dict[str, int]:
        return {"Exponent": 0, "Value": 7360 + 37 * at % 11000}

    def schedule(number: int) -> dict[str, Any]:
        rows = [{"Duration": 900, "Power": power(at), "Power_L2": power(at + 1), "Power_L3": power(at + 2)} for at in range(entries)]
        powers = {
            "TimeAnchor": 1795903200,
            "PowerTolerance": {"Exponent": 0, "Value": 500},
            "PowerScheduleEntries": {"PowerScheduleEntry": rows},
        }
        return {"ScheduleTupleID": number, "ChargingSchedule": {"PowerSchedule": powers}}

    mode = {"ScheduleTuple": [schedule(number + 1) for number in range(tuples)]}
    return _made(COMMON, ScheduleExchangeRes={"Header": HEADER, "ResponseCode": "OK", "EVSEProcessing": "Finished", "Scheduled_SEResControlMode": mode})  # fmt: skip


def _current_demand_res() -> bytes:
    def value(unit: str, number: int) -> dict[str, Any]:
        return {"Multiplier": -1, "Unit": unit, "Value": number}

    status = {"NotificationMaxDelay": 0, "EVSENotification": "None", "EVSEIsolationStatus": "Valid", "EVSEStatusCode": "EVSE_Ready"}
    demand = {
        "ResponseCode": "OK",
        "DC_EVSEStatus": status,
        "EVSEPresentVoltage": value("V", 3987),
        "EVSEPresentCurrent": value("A", 1193),
        "EVSECurrentLimitAchieved": False,
        "EVSEVoltageLimitAchieved": False,
        "EVSEPowerLimitAchieved": False,
        "EVSEMaximumVoltageLimit": value("V", 9200),
        "EVSEMaximumCurrentLimit": value("A", 2000),
        "EVSEID": "DE*PNX*E12345*1",
        "SAScheduleTupleID": 1,
    }
    return _made(ISO2, V2G_Message={"Header": {"SessionID": HEADER["SessionID"]}, "Body": {"CurrentDemandRes": demand}})


def messages() -> list[Message]:
    """Of the sizes that sessions have."""
    protocol = {"ProtocolNamespace": DC, "VersionNumberMajor": 1, "VersionNumberMinor": 0, "SchemaID": 1, "Priority": 1}
    setup = _made(COMMON, SessionSetupRes={"Header": HEADER, "ResponseCode": "OK_NewSessionEstablished", "EVSEID": "DE*PNX*E12345*1"})
    return [
        Message("supportedAppProtocolReq", SAP, _made(SAP, supportedAppProtocolReq={"AppProtocol": [protocol]}), 4),
        Message("-20 SessionSetupRes", COMMON, setup, 4),
        Message("-20 DC_ChargeLoopReq", DC, _vector(DC, "DC_ChargeLoopReq", 55), 8),
        Message("-20 DC_ChargeLoopRes", DC, _vector(DC, "DC_ChargeLoopRes", 55), 8),
        Message("-20 AC_ChargeLoopReq", AC, _vector(AC, "AC_ChargeLoopReq", 50), 8),
        Message("-2 CurrentDemandRes", ISO2, _current_demand_res(), 8),
        Message("-20 ScheduleExchangeRes", COMMON, _schedules(25, 1), 70),
        Message("-2 CertificateInstallationRes", ISO2, _vector(ISO2, "CertificateInstallationRes", 3958), 40),
        Message("-20 ScheduleExchangeRes, three tuples of 1,024 entries", COMMON, _schedules(1024, 3), 10_000),
    ]


def median_us(what: Callable[[], object], repeat: int) -> float:
    """Of one call: the median of some batches."""
    gc.collect()
    gc.disable()
    try:
        batches = []
        for _ in range(BATCHES):
            began = time.perf_counter()
            for _ in range(repeat):
                what()
            batches.append(time.perf_counter() - began)
    finally:
        gc.enable()
    return statistics.median(batches) / repeat * 1e6


# ---- peers


class JsonDoor:
    """The JAR's, as the PyPI package calls it."""

    def __init__(self, codec: Any) -> None:
        self._codec = codec

    def decode_us(self, message: Message, calls: int) -> float:
        return self._median_us(lambda: self._codec.decode(message.octets, message.namespace), calls)

    def encode_us(self, message: Message, calls: int) -> float:
        text = self._codec.decode(message.octets, message.namespace)
        return self._median_us(lambda: self._codec.encode(text, message.namespace), calls)

    @staticmethod
    def _median_us(what: Callable[[], object], calls: int) -> float:
        """Not a number where it does not answer."""
        if what() is None:
            return float("nan")
        spent = []
        for _ in range(calls):
            began = time.perf_counter()
            what()
            spent.append(time.perf_counter() - began)
        return statistics.median(spent) * 1e6


@contextmanager
def exificient() -> Iterator[JsonDoor | None]:
    """None, and a line that says why, where it cannot be had."""
    with ExitStack() as held:
        try:
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="chargepoint-exi-"))
            gateway = held.enter_context(java(wheel.jar(Path(folder)), "--add-opens", "java.base/java.lang=ALL-UNNAMED"))
        except (ImportError, wheel.WheelError) as error:
            print(f"EXIficient is not beside it: {error}", file=sys.stderr)
            yield None
            return
        yield JsonDoor(gateway.jvm.com.siemens.ct.exi.main.cmd.EXICodec())


class Stream(ctypes.Structure):
    """libcbv2g's exi_bitstream_t, with room behind it should it grow."""

    _fields_ = (
        ("data", ctypes.c_void_p),
        ("data_size", ctypes.c_size_t),
        ("bit_count", ctypes.c_uint8),
        ("byte_pos", ctypes.c_size_t),
        ("rest", ctypes.c_uint8 * 64),
    )


class Cbv2g:
    """libcbv2g through ctypes. What the calls alone cost is measured and taken off."""

    NAMES: ClassVar[dict[str, str]] = {SAP: "appHand", ISO2: "iso2", COMMON: "iso20", AC: "iso20_ac", DC: "iso20_dc"}
    """Schema set -> the prefix of its functions."""
    DOCUMENT_OCTETS = 1 << 20
    """More than its largest document structure has."""

    def __init__(self, path: str) -> None:
        self._library = ctypes.CDLL(path)

    def times_us(self, message: Message) -> tuple[float, float]:
        """Decoding and encoding; not a number where it refuses the message, or writes another."""
        name = self.NAMES[message.namespace]
        read, write = (self._library[f"{way}_{name}_exiDocument"] for way in ("decode", "encode"))
        least = self._library["exi_bitstream_reset"]
        begin = self._library.exi_bitstream_init
        begin.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p]
        read.argtypes = write.argtypes = least.argtypes = [ctypes.c_void_p, ctypes.c_void_p]
        document = ctypes.create_string_buffer(self.DOCUMENT_OCTETS)
        octets = ctypes.create_string_buffer(message.octets, len(message.octets))
        room = ctypes.create_string_buffer(len(message.octets) + 4096)
        stream = Stream()
        at, held = ctypes.addressof(stream), ctypes.addressof(document)

        def decode_it() -> Any:
            begin(at, ctypes.addressof(octets), len(message.octets), 0, None)
            return read(at, held)

        def encode_it() -> Any:
            begin(at, ctypes.addressof(room), len(room), 0, None)
            return write(at, held)

        def nothing() -> None:
            begin(at, ctypes.addressof(octets), len(message.octets), 0, None)
            least(at, held)  # takes one argument; the second is there to be passed

        if decode_it() or encode_it() or room.raw[: len(message.octets)] != message.octets:
            return float("nan"), float("nan")
        repeat = min(2000, max(10, round(20_000 / message.reach_us)))
        rounds = [[median_us(each, repeat) for each in (nothing, decode_it, encode_it)] for _ in range(2 * MEDIANS)]
        calls, decoding, encoding = (min(column) for column in zip(*rounds, strict=True))
        return max(decoding - calls, 0.01), max(encoding - calls, 0.01)


def cbv2g() -> Cbv2g | None:
    """None, and a line that says so, where no library is named."""
    path = os.environ.get("LIBCBV2G", "")
    if not path:
        print("libcbv2g is not beside it: LIBCBV2G names no shared library", file=sys.stderr)
        return None
    return Cbv2g(path)


def _us(value: float) -> str:
    return "fails" if math.isnan(value) else f"{value:,.0f} µs" if value >= 100 else f"{value:.2g} µs" if value < 1 else f"{value:.1f} µs"


def measure_messages() -> Iterator[Row]:
    """Two rows for each."""
    library = cbv2g()
    with exificient() as peer:
        for message in messages():
            found = decode(message.octets, message.namespace)
            if encode(found, message.namespace) != message.octets:
                raise SystemExit(f"{message.what}: not the octets that were read")
            repeat = max(1, round(4000 / message.reach_us))
            ours: list[list[float]] = [[], []]
            theirs: list[list[float]] = [[], []]
            calls = PEER_CALLS if len(message.octets) < 10_000 else 5
            if peer:
                peer.decode_us(message, min(PEER_WARM_UP, calls))
                peer.encode_us(message, min(PEER_WARM_UP, calls))
            for _ in range(MEDIANS):
                ours[0].append(median_us(partial(decode, message.octets, message.namespace), repeat))
                ours[1].append(median_us(partial(encode, found, message.namespace), repeat))
                if peer:
                    theirs[0].append(peer.decode_us(message, calls))
                    theirs[1].append(peer.encode_us(message, calls))
            other = library.times_us(message) if library else (0.0, 0.0)
            for way, own, them, compiled in zip(("decode", "encode"), ours, theirs, other, strict=True):
                yield _row(message, way, min(own), min(them, default=0.0), compiled)


def _ratio(own: float, value: float) -> str:
    if math.isnan(value):
        return "-"
    if value < own:
        return f"1/{own / value:.1f} x"
    return f"{value / own:.1f} x" if value < 10 * own else f"{value / own:,.0f} x"


def _row(message: Message, way: str, own: float, them: float, compiled: float) -> Row:
    beside, ratios = [], []
    for name, value in (("EXIficient, py4j", them), ("libcbv2g", compiled)):
        if value:
            beside.append(f"{name} {_us(value)}")
            ratios.append(_ratio(own, value))
    reach = f"{message.reach_us:g} µs" if message.reach_us < 1000 else f"{message.reach_us / 1000:g} ms"
    return Row(f"EXI {way} {message.what}, {len(message.octets):,} octets", _us(own), reach, "; ".join(beside), "; ".join(ratios))


# ---- starting

_FIRST = """
from iso15118.exi import decode
decode(bytes.fromhex({octets!r}), {namespace!r})
"""
_WARM = """
import time
from iso15118.exi import codec_of, decode
from iso15118.messages import SETS
decode(bytes.fromhex({octets!r}), {namespace!r})
began = time.perf_counter()
for each in SETS:
    codec_of(each).warm()
print(time.perf_counter() - began)
"""
_IN_USE = """
def rss_MB():
    return next(int(line.split()[1]) / 1024 for line in open("/proc/self/status") if line.startswith("VmRSS:"))

import json
rows = [json.loads(line) for line in open({vectors!r})]
rows = [(bytes.fromhex(row["exi_hex"]), row["ns"]) for row in rows if "document" in row["kind"]]
before = rss_MB()
from iso15118.exi import codec_of, decode, encode
from iso15118.messages import SETS
for octets, namespace in rows:
    encode(decode(octets, namespace), namespace)
for each in SETS:
    codec_of(each).schema.elements
in_use = rss_MB()
for each in SETS:
    codec_of(each).warm()
print(in_use - before, rss_MB() - before)
"""


def _process_s(code: str, folder: Path, environment: dict[str, str]) -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


def _told(code: str, folder: Path, environment: dict[str, str]) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, check=True, capture_output=True, text=True)
    return [float(each) for each in done.stdout.split()]


def measure_starts() -> Iterator[Row]:
    """Fresh processes, with the package's .pyc and on a copy without them; the standard library has its own in both."""
    message = messages()[2]
    first = _FIRST.format(octets=message.octets.hex(), namespace=message.namespace)
    warm = _WARM.format(octets=message.octets.hex(), namespace=message.namespace)
    with tempfile.TemporaryDirectory(prefix="chargepoint-exi-") as place:
        shutil.copytree(ROOT / "iso15118", Path(place) / "iso15118", ignore=shutil.ignore_patterns("__pycache__"))
        environment = os.environ | {"PYTHONPATH": place}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        bare, without, cached = [], [], []
        for _ in range(STARTS):
            bare.append(_process_s("pass", Path(place), environment))
            without.append(_process_s(first, Path(place), environment | {"PYTHONDONTWRITEBYTECODE": "1"}))
        _process_s(warm, Path(place), environment | {"PYTHONDONTWRITEBYTECODE": ""})
        for _ in range(STARTS):
            bare.append(_process_s("pass", Path(place), environment))
            cached.append(_process_s(first, Path(place), environment))
        all_warm = [_told(warm, Path(place), environment)[0] for _ in range(STARTS)]
        used = _told(_IN_USE.format(vectors=str(fuzz.VECTORS)), Path(place), environment)
    base, with_pyc, without_pyc = (statistics.median(each) for each in (bare, cached, without))
    what = f"fresh process to its first decoded message ({message.what})"
    beside = f"bare Python {base * 1000:.0f} ms"
    yield Row(f"{what}, over bare Python", f"{(with_pyc - base) * 1000:.0f} ms", "120 ms", beside)
    yield Row(f"{what}, without .pyc, over bare Python", f"{(without_pyc - base) * 1000:.0f} ms", "250 ms", beside)
    yield Row(f"after that, all {len(SETS)} sets warm", f"{statistics.median(all_warm) * 1000:.0f} ms", "600 ms more")
    yield Row(
        "RSS added by all sets in use: every golden vector decoded and encoded",
        f"{used[0]:.1f} MB",
        "12 MB",
        f"warm {used[1]:.1f} MB",
    )


# ---- hostile octets


def measure_hostile(*, quick: bool = False) -> Iterator[Row]:
    """The slowest of the streams that `bench.fuzz.forge` makes, and what takes the most memory."""
    slowest, largest, count = (0.0, ""), (0, ""), 0
    for name, namespace, octets, fragment in _hostile(quick=quick):
        codec_of(namespace).warm()
        count += 1
        spent = min(_refused_ms(octets, namespace, fragment=fragment) for _ in range(7))
        what = f"{name}, {'a fragment of ' if fragment else ''}{re.split('[:/#]', namespace.rstrip('#'))[-1]}"
        slowest = max(slowest, (spent, f"{what}, {len(octets):,} octets"))
        largest = max(largest, (work(octets, namespace, fragment=fragment).peak_octets, what))
    yield Row(f"EXI, the worst of {count} hostile streams of 64 KiB ({slowest[1]})", f"{slowest[0]:.1f} ms", "20 ms (S-28: 50 ms)")
    yield Row(f"EXI, memory for one of them at most ({largest[1]})", f"{largest[0] / (1 << 20):.1f} MiB", "32 MB (S-28)")


def _hostile(*, quick: bool) -> Iterator[tuple[str, str, bytes, bool]]:
    """(style, set, octets, whether it is a fragment). SignedInfo has mixed content in it, which is left to the walk."""
    sets = list(SETS)
    for number, (name, style) in enumerate(STYLES.items()):
        for namespace in [sets[number % len(sets)]] if quick else sets:
            yield name, namespace, Forge(namespace, random.Random(number), style, OCTETS).octets("Signature"), False
        if not quick or name == "short mixed":
            for seed in range(1 if quick else 4):
                yield name, XMLDSIG, Forge(XMLDSIG, random.Random(7 + seed), style, OCTETS).fragment("SignedInfo"), True


def _refused_ms(octets: bytes, namespace: str, *, fragment: bool) -> float:
    read: Callable[[bytes, str], Any] = decode_fragment if fragment else decode
    began = time.perf_counter()
    with suppress(ExiError):
        read(octets, namespace)
    return (time.perf_counter() - began) * 1000


def measure(*, quick: bool = False) -> Iterator[Row]:
    """All rows."""
    yield from measure_messages()
    yield from measure_starts()
    yield from measure_hostile(quick=quick)


def main(arguments: list[str]) -> int:
    """Rows as they come, then the table."""
    rows = []
    for row in measure(quick="--quick" in arguments):
        print(f"{row.what}: {row.ours} | {row.peer} | {row.ratio}", file=sys.stderr, flush=True)
        rows.append(row)
    print(f"{datetime.now(UTC):%Y-%m-%d}, {platform.machine()}, CPython {platform.python_version()}, {platform.system()}\n")
    print(markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
