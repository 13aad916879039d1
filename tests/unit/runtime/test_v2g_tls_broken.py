"""All chains that are wrong in one thing (`certs.broken`), shown in real handshakes: by vehicles to the station, by stations to a vehicle."""

from __future__ import annotations

import ctypes
import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from certs import broken, pki_files
from certs.chain import validate
from certs.testpki_make import key_of, pem_of
from chargepoint.runtime.v2g_tls import Engine, Plan, TlsFailed, TlsMissing, gnutls
from chargepoint.runtime.v2g_tls import engine as engines
from chargepoint.runtime.v2g_tls.contract import TlsEngine
from chargepoint.runtime.v2g_tls.openssl import OpensslEngine
from chargepoint.runtime.v2g_tls.plan import ISO_2, ISO_20, LAX
from chargepoint.runtime.v2g_tls.verify import ALERTS, BAD, UNKNOWN_CA
from tests.unit.runtime.v2g_tls_rig import pki

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
SEED = b"broken"
PROFILES = ("vehicle20", "secc20", "secc2")
NAMES = [each for each in broken.NAMES if each.partition("-")[0] in PROFILES]
REWRITTEN = ("ca_first", "leaf_last", "garbage", "cut_off")
"""What no library sends: GnuTLS's message is written anew below the signature."""
BY_GNUTLS = (*REWRITTEN, "other_key", "leaf_no_signatures")
DECRYPT_ERROR = 51
STATION = pki().iso20.secc
CERTIFICATE = 11


@cache
def case(name: str) -> broken.Case:
    profile, _, what = name.partition("-")
    return broken.right(profile, seed=SEED, now=NOW) if what == "right" else broken.make(name, seed=SEED, now=NOW)


def ends(name: str) -> tuple[TlsEngine, Engine]:
    """Who shows the chain, and who judges it."""
    profile, _, _ = name.partition("-")
    it = case(name)
    # A curve that nobody has asked for is shown by nobody who keeps to the rules: here it is asked for, and judged as ever.
    base = replace(ISO_2 if profile == "secc2" else ISO_20, signatures=LAX.signatures, groups=LAX.groups, check_time=False)
    roots = pki_files.roots_of(b"".join(each.public_bytes(Encoding.PEM) for each in it.trust), where="")
    judges = replace(base, roots=roots, clock=NOW.timestamp, revocation=lambda: it.revocation, policy=it.policy)
    shows = replace(base, chain=shown(name))
    if profile == "vehicle20":
        shows = replace(shows, role="client", roots=pki().iso20.v2g_roots)
        return engine(shows, name), Engine(replace(judges, ask_client=True, chain=STATION))
    return engine(shows, name), Engine(replace(judges, role="client"))


def shown(name: str) -> pki_files.Chain | None:
    profile, _, what = name.partition("-")
    it = case(f"{profile}-right" if what in REWRITTEN else name)
    if not it.chain:
        return None
    key = key_of("p256" if profile == "secc2" else "p521", SEED, "another") if what == "other_key" else it.key
    return pki_files.Chain(it.chain_pem, pem_of(key), "")


def engine(plan: Plan, name: str) -> TlsEngine:
    """OpenSSL sends what it is given; GnuTLS lets itself be told to send what does not fit together."""
    what = name.partition("-")[2]
    if what not in BY_GNUTLS:
        try:
            return OpensslEngine(plan)
        except TlsMissing as error:
            pytest.skip(str(error))
    made = Engine(plan)
    if what in REWRITTEN:
        rewrite(made, plan.versions == ISO_20.versions, *case(name).chain)
    return made


@pytest.fixture(autouse=True)
def careless(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """GnuTLS minds neither what a key is for nor whose it is."""
    skip_key_cert_match, ours = 1, gnutls.priorities
    monkeypatch.setattr(gnutls, "CERTIFICATE_API_V2", gnutls.CERTIFICATE_API_V2 | skip_key_cert_match)
    monkeypatch.setattr(
        gnutls,
        "priorities",
        lambda plan: ours(plan) + (":%DEBUG_ALLOW_KEY_USAGE_VIOLATIONS" if not plan.roots or plan.clock is None else ""),
    )
    yield
    HOOKS.clear()


HOOK = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_uint, ctypes.c_uint, ctypes.POINTER(gnutls.Datum))
HOOKS: list[object] = []


def rewrite(made: Engine, is_1_3: bool, *chain: bytes) -> None:
    """Other certificates in the place of those of a message of the same length; what is left over is garbage in the last of them."""

    def write(session: int, kind: int, when: int, incoming: int, message: ctypes._Pointer[gnutls.Datum]) -> int:
        if not incoming:
            octets, behind = message.contents.octets, b"\0\0" if is_1_3 else b""
            head = octets[: octets.index(b"\x30\x82") - 3]
            room = len(octets) - len(head)
            listed = [*chain[:-1], chain[-1] + bytes(room - sum(3 + len(each) + len(behind) for each in chain))]
            made = head + b"".join(len(each).to_bytes(3, "big") + each + behind for each in listed)
            assert len(made) == len(octets)
            ctypes.memmove(message.contents.data, made, len(made))
        return 0

    hook = HOOK(write)
    HOOKS.append(hook)
    made._lib.gnutls_handshake_set_hook_function(made._session, CERTIFICATE, 0, hook)


def meet(shows: TlsEngine, judges: Engine) -> TlsFailed | None:
    """Until it is refused or nothing moves."""
    for _ in range(20):
        with suppress(TlsFailed):
            shows.step()
        octets = shows.take()
        try:
            judges.feed(octets)
            judges.step()
        except TlsFailed as error:
            return error
        back = judges.take()
        shows.feed(back)
        if not octets and not back:
            break
    return None


@pytest.mark.req("S-29")
@pytest.mark.parametrize("name", NAMES)
def test_in_a_handshake(name: str) -> None:
    it, what = case(name), name.partition("-")[2]
    shows, judges = ends(name)
    refused = meet(shows, judges)
    verdict = validate(it.chain, NOW, it.profile, it.trust, it.revocation, policy=it.policy)
    if what == "empty":  # a vehicle may, and is not verified then; a station cannot
        assert not judges.verified
        assert judges.handshake_done == (name == "vehicle20-empty")
        return
    if not it.refused and verdict.ok:
        assert refused is None
        assert judges.verified
        return
    assert refused is not None
    assert not judges.verified
    assert not judges.handshake_done
    if what == "other_key":
        assert refused.alert == DECRYPT_ERROR
    elif what in {"garbage", "cut_off"}:  # the library reads it before we do
        assert (refused.alert, "certificate" in str(refused)) == (BAD, True), refused
    else:
        assert str(refused) == verdict.why
        code = verdict.refusals[0].code
        assert refused.alert == (UNKNOWN_CA if what == "root_of_same_name" else ALERTS.get(code, BAD))
    with suppress(TlsFailed):
        shows.feed(judges.take())
        shows.step()
        shows.read()
        raise AssertionError("the other side hears nothing of it")


@pytest.mark.req("S-29")
@pytest.mark.parametrize("profile", PROFILES)
def test_right(profile: str) -> None:
    shows, judges = ends(f"{profile}-right")
    assert meet(shows, judges) is None
    assert judges.verified


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("name", "words"), [("vehicle20-leaf_forged", "does not end at a known root"), ("secc20-sub_is_no_ca", "has an issuer that is no CA")]
)
def test_gnutls_has_to_be_content_as_well(name: str, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "refused", lambda *_: None)
    shows, judges = ends(name)
    refused = meet(shows, judges)
    assert refused is not None
    assert words in str(refused)
    assert not judges.verified
