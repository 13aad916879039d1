"""The two ways of the codec: which is taken, what a wrong message is told, and how generated code shows itself."""

from __future__ import annotations

import linecache
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from bench.fuzz import exi as fuzz
from bench.v2g import secc
from chargepoint.config import EvseConfig
from chargepoint.runtime.ports import vehicle
from iso15118 import exi
from iso15118.exi import Codec, ExiError, codec_of, straight
from iso15118.exi.encoder import Encoder
from iso15118.exi.limits import MOST_OCTETS, MOST_REPEATS
from iso15118.exi.schema import schema
from iso15118.exi.straight import Unusual
from iso15118.messages import SETS, sap
from iso15118.messages import xmldsig as ds
from iso15118.messages.declare import Message, defaults, field_names
from iso15118.messages.iso2 import msg_def as iso2
from iso15118.messages.iso20 import common_messages as cm
from iso15118.messages.iso20 import common_schedules as cs
from iso15118.messages.iso20 import common_types as ct

COMMON = "urn:iso:std:iso:15118:-20:CommonMessages"
HEADER = ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1)


def setup(**more: Any) -> cm.SessionSetupReq:
    return cm.SessionSetupReq(**{"Header": HEADER, "EVCCID": "WMIV1234567890ABCDEX", **more})


def profile(entries: int) -> cm.PowerDeliveryReq:
    one = cs.PowerScheduleEntryType(Duration=3600, Power=ct.RationalNumberType(Exponent=3, Value=11))
    return cm.PowerDeliveryReq(
        Header=HEADER,
        EVProcessing="Finished",
        ChargeProgress="Start",
        EVPowerProfile=cs.EVPowerProfileType(
            TimeAnchor=1,
            Dynamic_EVPPTControlMode=cs.Dynamic_EVPPTControlModeType(),
            EVPowerProfileEntries=cs.EVPowerProfileEntryListType(EVPowerProfileEntry=(one,) * entries),
        ),
    )


# ---- declarations


def test_a_message_is_made_with_keywords_compared_and_shown() -> None:
    assert setup() == setup()
    assert setup() != setup(EVCCID="x")
    assert setup() != iso2
    assert repr(setup(EVCCID="x")) == (
        "SessionSetupReq(Header=MessageHeaderType(SessionID=b'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00', TimeStamp=1), EVCCID='x')"
    )
    with pytest.raises(TypeError, match="EVCCID"):
        cm.SessionSetupReq(Header=HEADER)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="Evccid"):
        setup(Evccid="x")
    with pytest.raises(TypeError):
        hash(setup())


def test_a_derived_type_has_the_fields_of_its_base_first_and_its_own_initialiser() -> None:
    assert field_names(cm.SessionSetupRes) == ("Header", "ResponseCode", "EVSEID")
    assert defaults(cm.PowerDeliveryReq) == {"EVPowerProfile": None, "BPT_ChannelSelection": None}
    with pytest.raises(AttributeError):
        setup().more = 1  # type: ignore[attr-defined]


# ---- wrong messages


@pytest.mark.parametrize(
    ("message", "path", "words"),
    [
        (setup(EVCCID="x" * 256), "SessionSetupReq/EVCCID", "a text of 0 to 255 characters"),
        (setup(EVCCID=5), "SessionSetupReq/EVCCID", "5 is not a text"),
        (setup(EVCCID=None), "SessionSetupReq", "something is missing"),
        (setup(EVCCID="\ud800"), "SessionSetupReq/EVCCID", "half a surrogate pair"),
        (setup(Header=None), "SessionSetupReq", "something is missing"),
        (setup(Header=setup()), "SessionSetupReq", "a SessionSetupReq as Header"),
        (setup(Header=ct.MessageHeaderType(SessionID=bytes(7), TimeStamp=1)), "SessionSetupReq/Header/SessionID", "8 to 8 octets"),
        (setup(Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=-1)), "SessionSetupReq/Header/TimeStamp", "-1 is not an integer from 0"),
        (setup(Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1 << 64)), "SessionSetupReq/Header/TimeStamp", "is not an integer"),
        (setup(Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=1.5)), "SessionSetupReq/Header/TimeStamp", "1.5 is not an integer"),  # type: ignore[arg-type]
        (profile(0), "PowerDeliveryReq/EVPowerProfile/EVPowerProfileEntries", "something is missing"),
        (profile(2049), "PowerDeliveryReq/EVPowerProfile/EVPowerProfileEntries", "2049 of EVPowerProfileEntry; expected at most 2048"),
    ],
)  # fmt: skip
def test_a_wrong_message_is_told_where_and_what(message: Message, path: str, words: str) -> None:
    with pytest.raises(ExiError) as error:
        exi.encode(message, COMMON)
    assert error.value.path == path
    assert words in str(error.value)
    assert error.value.bit is None


def test_both_branches_of_a_choice_or_none() -> None:
    modes: dict[str, Any] = {
        "Dynamic_EVPPTControlMode": cs.Dynamic_EVPPTControlModeType(),
        "Scheduled_EVPPTControlMode": cs.Scheduled_EVPPTControlModeType(SelectedScheduleTupleID=1),
    }
    for given in ({}, modes):
        message = profile(1)
        whole = message.EVPowerProfile
        assert whole
        message.EVPowerProfile = cs.EVPowerProfileType(TimeAnchor=1, EVPowerProfileEntries=whole.EVPowerProfileEntries, **given)
        with pytest.raises(ExiError) as error:
            exi.encode(message, COMMON)
        assert error.value.path == "PowerDeliveryReq/EVPowerProfile"


@pytest.mark.req("S-28")
def test_what_we_write_has_our_own_bounds_too() -> None:
    reference = ds.ReferenceType(DigestMethod=ds.DigestMethodType(Algorithm="x"), DigestValue=b"")
    for count, right in ((MOST_REPEATS, True), (MOST_REPEATS + 1, False)):
        message = ds.ManifestType(Reference=(reference,) * count)
        if right:
            assert exi.decode(exi.encode(message, ds.NAMESPACE), ds.NAMESPACE) == message
        else:
            with pytest.raises(ExiError, match="65 of Reference"):
                exi.encode(message, ds.NAMESPACE)
    with pytest.raises(ExiError, match="larger than 280 bits"):
        exi.encode_fragment("X509IssuerSerial", ds.X509IssuerSerialType(X509IssuerName="", X509SerialNumber=1 << 280), ds.NAMESPACE)


def test_truth_is_a_number_to_python_and_not_in_json() -> None:
    """Told in the reference: asking would cost every message. What is equal to a right message is written as that one."""
    message, right = (setup(Header=ct.MessageHeaderType(SessionID=bytes(8), TimeStamp=each)) for each in (True, 1))
    assert message == right
    assert exi.encode(message, COMMON) == exi.encode(right, COMMON)
    with pytest.raises(ExiError, match="True is not an integer"):
        exi.from_json(exi.to_json(message), COMMON)


def test_a_message_of_another_set_and_a_set_that_is_not_there() -> None:
    with pytest.raises(ExiError, match="V2G_Message has no global element in the set"):
        exi.encode(iso2.V2G_Message.__new__(iso2.V2G_Message), COMMON)
    with pytest.raises(exi.UnknownSet, match="no schema set 'urn:x'; there are urn:iso:15118:2:2010:AppProtocol"):
        exi.decode(b"\x80", "urn:x")


@pytest.mark.req("S-28")
def test_octets_beyond_the_bound_are_not_looked_at() -> None:
    with pytest.raises(ExiError, match=f"{MOST_OCTETS + 1} octets"):
        exi.decode(bytes([0x80]) * (MOST_OCTETS + 1), COMMON)


# ---- the two ways


@pytest.mark.parametrize("entries", [1, 2, 30, 31, 500, 2047, 2048])
def test_long_messages_go_through_windows_and_flushes(entries: int) -> None:
    codec, message = codec_of(COMMON), profile(entries)
    octets = codec.encode(message)
    assert codec.decode(octets) == message
    assert octets == Encoder(codec.grammars).document(message)
    assert codec.decode(octets + b"\0") == message, "one octet of padding, as a car sends it"
    for wrong in (octets + b"\1", octets + b"\0\0"):
        with pytest.raises(ExiError):
            codec.decode(wrong)


def test_a_broken_tail_of_a_long_message_is_told() -> None:
    codec = codec_of(COMMON)
    octets = codec.encode(profile(100))
    with pytest.raises(ExiError, match="bits early") as error:
        codec.decode(octets[:-3])
    assert error.value.path.startswith("PowerDeliveryReq/EVPowerProfile/EVPowerProfileEntries")


def test_the_normal_way_is_straight(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing of an ordinary message needs the walk."""

    def walked(*_: object) -> None:
        raise AssertionError

    for name in ("Decoder", "Encoder"):
        monkeypatch.setattr(f"iso15118.exi.codec.{name}", walked)
    for message in (setup(), setup(EVCCID="Ж€😀"), profile(3)):
        assert exi.decode(exi.encode(message, COMMON), COMMON) == message


def test_what_breaks_in_a_generated_function_shows_its_source(monkeypatch: pytest.MonkeyPatch) -> None:
    """An error that is none of the octets or of the message is a defect of ours: the traceback has the lines."""
    codec, signed = Codec(schema(COMMON)), ds.SignatureMethodType(Algorithm="x")
    octets, fragment = codec.encode(setup()), codec.encode_fragment("SignatureMethod", signed)

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    told = list[bool]()
    monkeypatch.setattr(codec.straight, "scope", defaultdict(lambda: broken))
    monkeypatch.setattr(codec.straight, "tell_sources", lambda: told.append(True))
    ways: tuple[Callable[[], object], ...] = (
        partial(codec.decode, octets),
        partial(codec.encode, setup()),
        partial(codec.decode_fragment, fragment),
        partial(codec.encode_fragment, "SignatureMethod", signed),
    )
    for number, way in enumerate(ways, 1):
        with pytest.raises(ZeroDivisionError):
            way()
        assert len(told) == number


NOTHING_MADE = """
import json, sys
from iso15118.exi import codec_of, decode, decode_fragment, encode, encode_fragment, from_json, to_json
from iso15118.exi import types
from iso15118.exi.straight import items
from iso15118.messages import SETS

rows = [json.loads(line) for line in open({vectors!r}, encoding="utf-8")]
for namespace in SETS:
    codec_of(namespace).warm()

def made():
    codecs = [codec_of(namespace) for namespace in SETS]
    caches = [types.fields_of, types.simple_of, items.items_of, codec_of]
    tables = [codec.grammars._contents for codec in codecs]
    tables += [content._made for table in tables for content in table.values()]
    return (
        [sorted(vars(owner)) for codec in codecs for owner in (codec, codec.schema)],
        [cache.cache_info().currsize for cache in caches],
        [len(codec.straight.scope) for codec in codecs],
        [len(table) for table in tables],
    )

told = []
sys.addaudithook(lambda event, _: told.append(event) if event in ("compile", "exec", "import") else None)
before = made()
for row in rows:
    octets, namespace = bytes.fromhex(row["exi_hex"]), row["ns"]
    if row["kind"] == "fragment":
        assert encode_fragment(*decode_fragment(octets, namespace), namespace) == octets
        continue
    message = decode(octets, namespace)
    assert from_json(to_json(message), namespace) == message
    assert encode(message, namespace) == octets
assert made() == before
assert told == [], set(told)
print(len(rows))
"""


def test_what_is_warm_makes_nothing_any_more() -> None:
    """In a process of its own, since nothing can be made twice: every golden document and fragment both ways, and by JSON."""
    done = subprocess.run(
        [sys.executable, "-c", NOTHING_MADE.format(vectors=str(fuzz.VECTORS))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == len(fuzz.rows())


def test_a_secc_warms_all_that_its_sessions_speak_before_it_is_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """The sets agreed on, those of the handshake and of the messages before, and xmldsig, whose SignedInfo signatures are over."""
    warm: set[str] = set()

    async def serving(*_: object) -> None:
        """Instead of listening."""

    monkeypatch.setattr(Codec, "warm", lambda codec: warm.add(codec.schema.namespace))
    monkeypatch.setattr(secc, "_serve", serving)
    assert secc.main(secc.Options("lo", protocols="iso20-dc")) == 0
    assert warm == {sap.NAMESPACE, COMMON, "urn:iso:std:iso:15118:-20:DC", ds.NAMESPACE}
    warm.clear()
    vehicle.warm(EvseConfig(mode="dc"))
    older = {"urn:din:70121:2012:MsgDef", "urn:iso:15118:2:2013:MsgDef"}
    assert warm == {sap.NAMESPACE, COMMON, "urn:iso:std:iso:15118:-20:DC", ds.NAMESPACE} | older


@pytest.fixture(scope="module")
def told() -> None:
    """All sets have everything, and have shown it: AC and AC-DER share classes that they code in two ways."""
    for namespace in SETS:
        codec_of(namespace).warm()
        codec_of(namespace).straight.tell_sources()


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("namespace", SETS)
def test_warm_makes_everything_and_shows_its_source(namespace: str) -> None:
    codec = codec_of(namespace)
    functions = {
        (kind, way): codec.straight.scope[f"{way}{number}"] for kind, number in codec.straight.numbers.items() for way in ("D", "W")
    }
    assert len(functions) == 2 * len(codec.schema.classes)
    for (kind, way), each in functions.items():
        assert "".join(linecache.getlines(each.__code__.co_filename)) == codec.straight.source(kind, way)
        assert kind.__name__ in each.__code__.co_filename
        assert not [
            name for name in each.__code__.co_names if name[:1] in "DWCK" and name[1:].isdigit() and name not in codec.straight.scope
        ]
    assert Unusual in straight.NOTHING
