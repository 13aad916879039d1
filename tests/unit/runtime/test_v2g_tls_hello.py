"""The hello, read before any TLS library; and what is chosen for it."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chargepoint.runtime.v2g_tls import BadHello, Chains, Engine, Hello, Server, TlsFailed, chains_of, client_plan, peek, select
from chargepoint.runtime.v2g_tls.hello import MOST_OCTETS, MOST_RECORDS, TrustedCa
from tests.unit.runtime.v2g_tls_rig import extension, hello, pki, records, vector

GOOD = hello(versions=(0x0304, 0x0303), groups=(0x19, 0x17), signatures=(0x0603, 0x0403))
ISO_20 = Hello(versions=(0x0304,), ciphers=(0x1302,), groups=(0x19,), signatures=(0x0603,))
ISO_2 = Hello(versions=(0x0303,), ciphers=(0xC023,), groups=(0x17,), signatures=(0x0403,))
BOTH = Hello(versions=(0x0304, 0x0303), ciphers=(0x1302, 0xC023), groups=(0x19, 0x17), signatures=(0x0603, 0x0403))


def test_read() -> None:
    assert peek(records(GOOD)) == Hello((0x0304, 0x0303), (0x1302, 0xC023), (0x19, 0x17), (0x0603, 0x0403))
    assert peek(records(GOOD) + b"more behind it") == peek(records(GOOD))


@pytest.mark.req("S-29")
@pytest.mark.parametrize("size", [5, 6, 7, 50])
def test_cut_into_records_and_octets(size: int) -> None:
    whole = records(GOOD, size)
    assert all(peek(whole[:end]) is None for end in range(len(whole)))
    assert peek(whole) == peek(records(GOOD))


def test_what_real_stacks_send() -> None:
    engine = Engine(client_plan("any", pki().iso2, pki().iso20))
    engine.step()
    found = peek(engine.take())
    assert found is not None
    assert found.versions == (0x0304, 0x0303)
    assert {0x1302, 0x1303, 0xC023} <= set(found.ciphers)
    assert {0x19, 0x1E, 0x17} == set(found.groups)
    assert len(found.trusted_ca_keys) == len(found.authorities) == 2


def test_our_clients_offer_what_the_standard_has_and_no_more() -> None:
    for version, expected in (
        ("1.2", ISO_2),
        ("1.3", replace(ISO_20, ciphers=(0x1302, 0x1303), groups=(0x19, 0x1E), signatures=(0x0603, 0x0808))),
    ):
        engine = Engine(client_plan("1.2" if version == "1.2" else "1.3", pki().iso2, pki().iso20))
        engine.step()
        found = peek(engine.take())
        assert found is not None
        roots = pki().iso2.v2g_roots if version == "1.2" else pki().iso20.v2g_roots
        assert found.trusted_ca_keys == ((TrustedCa(3, roots[0].sha1),) if version == "1.2" else ())
        assert found.authorities == (() if version == "1.2" else (roots[0].name,))
        found = replace(found, trusted_ca_keys=(), authorities=())
        scsv = 0x00FF  # says that renegotiation would be a safe one; no suite
        assert replace(found, ciphers=tuple(each for each in found.ciphers if each != scsv), status_request=False) == expected


def test_trusted_roots_and_requests() -> None:
    name = b"\x30\x00"
    keys = b"\x00" + b"\x01" + b"k" * 20 + b"\x02" + vector(2, name) + b"\x03" + b"c" * 20
    more = (
        extension(3, vector(2, keys)) + extension(47, vector(2, vector(2, name))) + extension(5, b"\x01\0\0\0\0") + extension(17, b"\0\0")
    )
    found = peek(records(hello(more=more)))
    assert found is not None
    assert found.trusted_ca_keys == (TrustedCa(0, b""), TrustedCa(1, b"k" * 20), TrustedCa(2, name), TrustedCa(3, b"c" * 20))
    assert found.authorities == (name,)
    assert found.status_request
    assert found.status_request_v2


@pytest.mark.parametrize(
    ("name", "odd"),
    [(b"secc.example", False), (b"192.0.2.1", False), (b"fe80::1", True), (b"fe80::1%eth0", True), (b"", True), (b"a\0b", True)],
)
def test_a_server_name_that_is_no_name_of_a_host(name: bytes, odd: bool) -> None:
    found = peek(records(hello(more=extension(0, vector(2, b"\0" + vector(2, name))))))
    assert found is not None
    assert found.odd_name is odd
    other = peek(records(hello(more=extension(0, vector(2, b"\x01" + vector(2, name))))))
    assert other is not None
    assert not other.odd_name


def test_an_unknown_kind_of_root_hides_the_rest_only() -> None:
    found = peek(records(hello(more=extension(3, vector(2, b"\x01" + b"k" * 20 + b"\x09whatever")))))
    assert found is not None
    assert found.trusted_ca_keys == (TrustedCa(1, b"k" * 20),)


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("octets", "alert", "words"),
    [
        (b"GET / HTTP/1.1\r\n", 50, "no TLS"),
        (b"\x01\xfe\x80\x01\x00\x00\x00\x05", 50, "V2GTP without TLS"),
        (b"\x80\x2e\x01\x03\x01", 50, "no TLS"),  # SSL 2.0
        (b"\x00", 50, "no TLS"),
        (b"\x16\x02\x00\x00\x05", 50, "no handshake"),
        (b"\x16\x03\x01\x00\x00", 50, "0 octets"),
        (b"\x16\x03\x01\x40\x01", 22, "16385 octets"),
        (b"\x16\x03\x01\xff\xff", 22, "65535 octets"),
        (records(b"\x02\0\0\x05hello"), 10, "message 2"),
        (records(b"\x01\0\0\0"), 50, "4 octets"),
        (records(b"\x01\xff\xff\xff"), 50, "octets"),
        (records(b"\x01" + vector(3, bytes(MOST_OCTETS))), 50, "octets"),
        (records(GOOD[:50]) + records(b"x", kind=23), 50, "no handshake"),
        (records(GOOD, 1), 50, f"more than {MOST_RECORDS} records"),
        (records(b"\x01" + vector(3, b"\x03\x03" + bytes(32) + b"\x21" + bytes(33))), 50, "session id"),
        (records(b"\x01" + vector(3, b"\x03")), 50, "longer"),
        (records(hello(ciphers=())), 50, "16-bit"),
        (records(hello(tail=b"x")), 50, "longer"),
        (records(hello(versions=(0x0304,), tail=b"x")), 50, "behind"),
        (records(hello(more=extension(10, b"\0\x03abc"))), 50, "16-bit"),
        (records(hello(more=extension(10, b"\0\x02abc"))), 50, "behind"),
        (records(hello(more=extension(10, b"\0\x09ab"))), 50, "longer"),
        (records(hello(more=extension(43, b""))), 50, "longer"),
        (records(hello(more=extension(3, vector(2, b"\x01short")))), 50, "longer"),
        (records(hello(more=extension(35, b"") * 2)), 50, "twice"),
        (records(hello(more=b"".join(extension(1000 + n, b"") for n in range(65)))), 50, "more than 64"),
    ],
)
def test_no_hello(octets: bytes, alert: int, words: str) -> None:
    with pytest.raises(BadHello, match=words) as caught:
        peek(octets)
    assert caught.value.alert == alert
    server = Server(Chains())
    with pytest.raises(TlsFailed, match=words) as failed:
        server.feed(octets)
    assert failed.value.alert == alert
    assert server.take() == bytes([21, 3, 3, 0, 2, 2, alert])
    assert not server.step()
    with pytest.raises(TlsFailed, match="over"):
        server.feed(octets)


@pytest.mark.req("S-29")
@settings(max_examples=500, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 255)), min_size=1, max_size=8), st.integers(0, 300))
def test_a_changed_hello_is_read_or_refused(changes: list[tuple[int, int]], cut_off: int) -> None:
    octets = bytearray(records(GOOD))
    for at, value in changes:
        octets[at % len(octets)] = value
    try:
        found = peek(bytes(octets[: len(octets) - cut_off]))
        if found:
            select(found, chains_of(pki()))
    except (BadHello, TlsFailed):
        pass


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=400))
def test_random_octets(octets: bytes) -> None:
    for message in (octets, b"\x16\x03\x01" + octets, records(b"\x01" + vector(3, octets)) if octets else b""):
        with contextlib.suppress(BadHello):
            peek(message)


# ------------------------------------------------------------------------------------------------------------ choosing


@pytest.mark.parametrize(
    ("offered", "version", "kind", "asked"),
    [
        (ISO_20, 0x0304, "p521", True),
        (replace(ISO_20, signatures=(0x0808,)), 0x0304, "ed448", True),
        (replace(ISO_20, groups=(0x1E,), ciphers=(0x1303,)), 0x0304, "p521", True),
        (ISO_2, 0x0303, "p256", False),
        (replace(ISO_2, groups=(), signatures=()), 0x0303, "p256", False),
        (replace(ISO_2, ciphers=(0xC02B,)), 0x0303, "p256", False),
        (BOTH, 0x0304, "p521", True),
        (replace(BOTH, groups=(0x17,)), 0x0303, "p256", False),  # the EVCC of PyPI
        (replace(BOTH, signatures=(0x0403,)), 0x0303, "p256", False),
        (replace(BOTH, ciphers=(0x1301, 0xC023)), 0x0303, "p256", False),
    ],
)
def test_select(offered: Hello, version: int, kind: str, asked: bool) -> None:
    plan = select(offered, chains_of(pki()))
    assert (plan.versions, plan.chain and plan.chain.kind, plan.ask_client) == ((version,), kind, asked)
    assert bool(plan.roots) == asked


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("offered", "alert", "words"),
    [
        (Hello((0x0301,), (0xC023,)), 70, "TLS 1.0, no TLS 1.2"),
        (Hello((0x0302,), (0xC023,)), 70, "TLS 1.1"),
        (Hello((0x0300,), (0xC023,)), 70, "SSL 3.0"),
        (Hello((0x7F1C,), (0xC023,)), 70, "0x7f1c"),
        (replace(ISO_20, groups=(0x17, 0x1D)), 40, "1.3: no group"),
        (replace(ISO_20, groups=()), 40, "1.3: no group"),
        (replace(ISO_20, signatures=(0x0403, 0x0804)), 40, "1.3: no certificate"),
        (replace(ISO_20, signatures=()), 40, "1.3: no certificate"),
        (replace(ISO_20, ciphers=(0x1301,)), 40, "1.3: no cipher"),
        (replace(ISO_2, ciphers=(0xC009, 0x003C, 0xC024, 0xC02C, 0x0005)), 40, "1.2: no cipher"),
        (replace(ISO_2, groups=(0x19,)), 40, "1.2: no group"),
        (replace(ISO_2, signatures=(0x0203,)), 40, "1.2: no certificate"),  # SHA-1
        (replace(ISO_2, ciphers=(0xC023, 0x5600)), 86, "falls back"),
    ],
)
def test_nothing_in_common(offered: Hello, alert: int, words: str) -> None:
    with pytest.raises(TlsFailed, match=words) as caught:
        select(offered, chains_of(pki()))
    assert caught.value.alert == alert


def test_only_one_version_allowed() -> None:
    assert select(BOTH, chains_of(pki(), version="1.2")).versions == (0x0303,)
    assert select(replace(ISO_2, ciphers=(0xC023, 0x5600)), chains_of(pki(), version="1.2")).versions == (0x0303,)
    for offered, version in ((ISO_20, "1.2"), (ISO_2, "1.3")):
        with pytest.raises(TlsFailed):
            select(offered, chains_of(pki(), version="1.2" if version == "1.2" else "1.3"))


def test_lax_is_asked_for_by_name() -> None:
    of_pypi = replace(BOTH, groups=(0x17,), versions=(0x0304,), signatures=(0x0403, 0x0603))
    with pytest.raises(TlsFailed):
        select(of_pypi, chains_of(pki()))
    plan = select(of_pypi, chains_of(pki(), lax=True))
    assert plan.chain is not None
    assert (plan.versions, plan.chain.kind, plan.ask_client) == ((0x0304,), "p256", True)
    assert set(pki().iso2.oem_roots) < set(plan.roots)
    assert plan.lax
    assert not select(ISO_20, chains_of(pki(), lax=True)).lax  # who can do it right is held to it


def test_the_chain_below_a_root_that_the_vehicle_names() -> None:
    one, two = pki().iso2.secc, pki(seed=b"other").iso2.secc
    assert one is not None
    assert two is not None
    chains = Chains(iso2=(one, two))
    root = two.roots[0]
    for named in (TrustedCa(1, root.key_sha1), TrustedCa(3, root.sha1)):
        assert select(replace(ISO_2, trusted_ca_keys=(TrustedCa(3, b"?" * 20), named)), chains).chain == two
    assert select(replace(ISO_2, trusted_ca_keys=(TrustedCa(2, b"somebody"),)), chains).chain == one
    other = replace(two, roots=(replace(root, name=b"another name"),))
    chains = Chains(iso2=(one, other))
    assert select(replace(ISO_2, trusted_ca_keys=(TrustedCa(2, b"another name"),)), chains).chain == other
    assert select(replace(ISO_2, authorities=(b"another name",)), chains).chain == other
    assert select(ISO_2, chains).chain == one


def test_without_certificates_nothing_is_chosen() -> None:
    for offered in (ISO_20, ISO_2, BOTH):
        with pytest.raises(TlsFailed, match="no certificate"):
            select(offered, Chains())
