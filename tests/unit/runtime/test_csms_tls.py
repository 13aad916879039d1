"""Security profiles 2 and 3 against real TLS servers on loopback: who is let in, and in which words the others are refused."""

from __future__ import annotations

import asyncio
import datetime as dt
import ssl
import warnings
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from websockets.asyncio.server import ServerConnection

from chargepoint.events import LinkDown, LinkUp
from chargepoint.runtime import tcp
from chargepoint.runtime.tls import TlsFiles, TlsSetupError, client_context, explain
from tests.unit.ocpp.link_rig import security_event
from tests.unit.runtime.csms_rig import Stream, a_csms, a_listener, a_port, a_tls_csms, order, says_nothing, virtually, wait_closed
from tests.unit.runtime.tls_pki import CLIENT, DAY, NOW, SERVER, Identity, ec_key, root, rsa_key, self_signed, with_sha1

ROOT = root()
RSA_ROOT = root("Test RSA root", rsa_key(2048))
SUB = ROOT.issue("Test sub-CA", is_ca=True)
Change = Callable[[ssl.SSLContext], None]


def trusting(folder: Path, cert_file: str = "", key_file: str = "") -> TlsFiles:
    roots = folder / "roots.pem"
    roots.write_text("".join(Path(each.write(folder, "root")[0]).read_text() for each in (ROOT, RSA_ROOT)))
    return TlsFiles(str(roots), cert_file, key_file)


def server_context(identity: Identity, folder: Path, *, chain: bool = True, change: Change | None = None) -> ssl.SSLContext:
    """A server that minds nothing by itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(*identity.write(folder, "server", chain=chain))
    if change:
        change(context)
    return context


def outcome(
    context: ssl.SSLContext,
    files: TlsFiles,
    *,
    host: str = "localhost",
    profile: int = 2,
    alerts: bool = True,
    wildcards: bool = False,
    refused: bool = False,
) -> LinkUp | LinkDown:
    """What the port tells; one that is `refused` sees its connection end, and gets no request."""
    found: list[LinkUp | LinkDown] = []
    served: list[ServerConnection] = []

    async def story() -> None:
        over = asyncio.Event()

        def serve(link: ServerConnection) -> Awaitable[None]:
            served.append(link)
            return wait_closed(link)

        serving = a_tls_csms(serve, context, over.set) if alerts else a_csms(serve, context)
        async with serving as url, a_port(files) as (port, ears):
            port.carry_out(order(url.replace("localhost", host), security_profile=profile, wildcards=wildcards))
            event = await ears.queue.get()
            assert isinstance(event, (LinkUp, LinkDown))
            found.append(event)
            if refused:
                await asyncio.wait_for(over.wait(), 30.0)
                assert served == [], "a server that is refused got a request"

    virtually(story())
    return found[0]


# ---- let in


@pytest.mark.req("S-29", "TC_A_04", "A00.FR.309", "A00.FR.312", "A00.FR.412", "A00.FR.317", "A00.FR.415", "A00.FR.420")
@pytest.mark.parametrize(
    ("make", "host"),
    [
        (lambda: ROOT.issue("localhost"), "localhost"),
        (lambda: ROOT.issue("CSMS", names=("localhost",)), "localhost"),
        (lambda: ROOT.issue("CSMS", names=("other.example", "localhost"), usage=SERVER), "localhost"),
        (lambda: ROOT.issue("CSMS", names=("127.0.0.1",)), "127.0.0.1"),
        (lambda: SUB.issue("localhost"), "localhost"),
        (lambda: ROOT.issue("localhost", rsa_key(2048)), "localhost"),
        (lambda: ROOT.issue("localhost", ec_key(ec.SECP384R1()), digest=hashes.SHA384()), "localhost"),
    ],
    ids=["common name", "alternative name", "second name", "address", "sub-CA", "RSA", "P-384"],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_a_good_server(make: Callable[[], Identity], host: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    context = server_context(make(), tmp_path, change=lambda context: setattr(context, "maximum_version", version))
    assert isinstance(outcome(context, trusting(tmp_path), host=host), LinkUp)


@pytest.mark.req("F-3", "S-29")
@pytest.mark.parametrize(
    ("after", "why"),
    [(None, ""), (15 * DAY, ""), (0 * DAY, "not valid yet"), (25 * DAY, "it expired"), (-4000 * DAY, "it is not valid before")],
    ids=["nobody has set it", "the station's is right, the host's is not", "both are early", "the station's is late", "1970"],
)
def test_dates_are_judged_by_the_stations_clock(after: dt.timedelta | None, why: str, tmp_path: Path) -> None:
    """A board without a battery begins in 1970, and hears the time from its CSMS: it must not be kept from that, nor forget it with the connection."""
    leaf = ROOT.issue("localhost", begins=NOW + 10 * DAY, ends=NOW + 20 * DAY)
    files = replace(trusting(tmp_path), clock=lambda: None if after is None else (NOW + after).timestamp())
    event = outcome(server_context(leaf, tmp_path), files)
    assert isinstance(event, LinkDown if why else LinkUp)
    if isinstance(event, LinkDown):
        assert event.cause == "certificate"
        assert why in event.detail


@pytest.mark.req("TC_A_04", "A00.FR.313", "A00.FR.319", "A00.FR.321", "A00.FR.416", "A00.FR.422", "A00.FR.424")
@pytest.mark.req("A00.FR.504")
def test_what_is_spoken(tmp_path: Path) -> None:
    seen: list[Any] = []

    async def look(link: ServerConnection) -> None:
        tls = link.transport.get_extra_info("ssl_object")
        seen.append((tls.version(), tls.cipher()[0], tls.compression(), {each[0] for each in tls.shared_ciphers() if each[1] == "TLSv1.2"}))
        await wait_closed(link)

    def only_1_2(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def story() -> None:
        for change in (None, only_1_2):
            context = server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path, change=change)
            async with a_csms(look, context) as url, a_port(trusting(tmp_path)) as (port, ears):
                port.carry_out(order(url))
                await ears.next(LinkUp)

    virtually(story())
    assert seen[0][0] == "TLSv1.3"
    version, cipher, compression, shared = seen[1]
    assert (version, compression) == ("TLSv1.2", None)
    assert cipher.startswith("ECDHE-RSA-AES")
    assert shared == {
        "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-AES256-GCM-SHA384",
        "AES128-GCM-SHA256", "AES256-GCM-SHA384",
    }  # fmt: skip


# ---- refused by us


HOST = pytest.mark.req("A00.FR.309", "A00.FR.412")
PATH = pytest.mark.req("A00.FR.308", "A00.FR.411")
WEAK_RSA = pytest.mark.req("A00.FR.501", "A00.FR.502")
WEAK_EC = pytest.mark.req("A00.FR.501", "A00.FR.503")


def below(issuer: str, **of_issuer: Any) -> Identity:
    return ROOT.issue(issuer, is_ca=True, **of_issuer).issue("localhost")


@pytest.mark.req("S-29", "F-8", "F-9", "TC_A_05", "A00.FR.310", "A00.FR.311", "A00.FR.413", "A00.FR.414")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        pytest.param(lambda: ROOT.issue("other.example"), "another host", id="host", marks=HOST),
        pytest.param(
            lambda: ROOT.issue("localhost", names=("other.example",)), "another host", id="host in the alternative name", marks=HOST
        ),
        pytest.param(lambda: ROOT.issue("localhost", ends=NOW - DAY / 2), "expired", id="expired", marks=PATH),
        pytest.param(lambda: ROOT.issue("localhost", begins=NOW + DAY), "not valid yet", id="not yet", marks=PATH),
        pytest.param(lambda: below("old", ends=NOW - DAY / 2), "expired", id="expired sub-CA", marks=PATH),
        pytest.param(lambda: root("Another root").issue("localhost"), "csms.ca_file", id="wrong root", marks=PATH),
        pytest.param(lambda: self_signed("localhost"), "self-signed", id="self-signed", marks=PATH),
        pytest.param(lambda: ROOT.issue("localhost", rsa_key(1024)), "too weak", id="RSA 1024", marks=WEAK_RSA),
        pytest.param(lambda: below("weak", key=ec_key(ec.SECP192R1())), "too weak", id="sub-CA EC 192", marks=WEAK_EC),
        pytest.param(lambda: below("weak", key=rsa_key(1024)), "too weak", id="sub-CA RSA 1024", marks=WEAK_RSA),
        pytest.param(lambda: with_sha1(RSA_ROOT.issue("localhost"), RSA_ROOT), "too weak", id="SHA-1", marks=pytest.mark.req("A00.FR.504")),
        pytest.param(lambda: ROOT.issue("localhost", usage=CLIENT), "not one for servers", id="for clients", marks=PATH),
        pytest.param(lambda: ROOT.issue("no CA").issue("localhost"), "certificate", id="issuer is no CA", marks=PATH),
    ],
)
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
@pytest.mark.parametrize("profile", [2, 3])
def test_a_certificate_that_is_refused(
    make: Callable[[], Identity], words: str, profile: int, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    """The security log says so, and the connection is ended before a word has been said on it."""
    context = server_context(make(), tmp_path, change=lambda context: setattr(context, "maximum_version", version))
    own = SUB.issue("SN1", usage=CLIENT).write(tmp_path, "own") if profile == 3 else ()
    down = outcome(context, trusting(tmp_path, *own), profile=profile, refused=True)
    assert isinstance(down, LinkDown)
    assert (down.cause, words in down.detail) == ("certificate", True), down
    assert security_event(down) == "InvalidCsmsCertificate"


@pytest.mark.req("S-29")
@pytest.mark.parametrize("names", [(), ("other.example", "*.hub.example")], ids=["common name", "alternative name"])
@pytest.mark.parametrize("allowed", [True, False])
def test_a_wildcard_is_taken_where_it_is_allowed(
    names: tuple[str, ...], allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect = tcp.connect
    monkeypatch.setattr(tcp, "connect", lambda _, port, **how: connect("localhost", port, **how))
    context = server_context(ROOT.issue("CSMS" if names else "*.hub.example", names=names), tmp_path)

    def come(host: str) -> LinkUp | LinkDown:
        return outcome(context, trusting(tmp_path), host=host, wildcards=allowed)

    came = come("csms.hub.example")
    if allowed:
        assert isinstance(came, LinkUp)
        assert came.wildcard
    else:
        assert isinstance(came, LinkDown)
        assert (came.cause, "AllowCSMSTLSWildcards" in came.detail) == ("certificate", True)
        assert security_event(came) == "InvalidCsmsCertificate"
    assert isinstance(come("a.csms.hub.example"), LinkDown)
    if names:
        by_name = come("Other.Example")
        assert isinstance(by_name, LinkUp)
        assert not by_name.wildcard


def test_a_server_that_keeps_its_sub_ca_to_itself(tmp_path: Path) -> None:
    """Quirk 9 of the hubs."""
    down = outcome(server_context(SUB.issue("localhost"), tmp_path, chain=False), trusting(tmp_path))
    assert isinstance(down, LinkDown)
    assert (down.cause, "sub-CA" in down.detail) == ("certificate", True)


@pytest.mark.req("S-29", "TC_A_06", "A00.FR.314", "A00.FR.316", "A00.FR.416", "A00.FR.417", "A00.FR.419")
def test_a_server_that_speaks_too_old_a_version(tmp_path: Path) -> None:
    def old(context: ssl.SSLContext) -> None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = ssl.TLSVersion.TLSv1
            context.maximum_version = ssl.TLSVersion.TLSv1_1

    down = outcome(server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path, change=old), trusting(tmp_path))
    assert isinstance(down, LinkDown)
    assert (down.cause, "TLS version" in down.detail) == ("tls", True)
    assert security_event(down) == "InvalidTLSVersion"


@pytest.mark.req("S-29", "A00.FR.320", "A00.FR.323", "A00.FR.423", "A00.FR.426")
@pytest.mark.parametrize("suites", ["ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA"])
def test_a_server_with_none_of_the_suites(suites: str, tmp_path: Path) -> None:
    def only(context: ssl.SSLContext) -> None:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        context.set_ciphers(f"{suites}:@SECLEVEL=0")

    down = outcome(server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path, change=only), trusting(tmp_path))
    assert isinstance(down, LinkDown)
    assert (down.cause, "cipher suite" in down.detail) == ("tls", True)
    assert security_event(down) == "InvalidTLSCipherSuite"


async def answers_in_http(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
    await says_nothing(reader, writer)


async def hangs_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.read(10)
    writer.close()


@pytest.mark.parametrize("talk", [answers_in_http, hangs_up])
def test_a_port_without_tls(talk: Stream, tmp_path: Path) -> None:
    async def story() -> None:
        async with a_listener(talk) as url, a_port(trusting(tmp_path)) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:")))
            down = await ears.next(LinkDown)
            assert (down.cause, "ws:// port" in down.detail) == ("tls", True), down
            assert security_event(down) == "CsmsFailedToAuthenticate"

    virtually(story())


def test_a_port_with_tls_dialled_without(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_csms(wait_closed, server_context(ROOT.issue("localhost"), tmp_path)) as url, a_port() as (port, ears):
            port.carry_out(order(url.replace("wss:", "ws:")))
            assert (await ears.next(LinkDown)).cause == "protocol"

    virtually(story())


@pytest.mark.req("F-8")
def test_a_port_that_never_shakes_hands(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_listener(says_nothing) as url, a_port(trusting(tmp_path)) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:")))
            assert (await ears.next(LinkDown)).cause == "timeout"

    virtually(story())


# ---- security profile 3


def demanding(folder: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    def change(context: ssl.SSLContext) -> None:
        context.maximum_version = version
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(ROOT.write(folder, "clients")[0])

    return server_context(ROOT.issue("localhost"), folder, change=change)


BOTH = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@pytest.mark.req("S-29", "TC_A_07")
@BOTH
def test_our_certificate_is_taken(version: ssl.TLSVersion, tmp_path: Path) -> None:
    cert, key = SUB.issue("SN1", usage=CLIENT).write(tmp_path, "own")
    files = trusting(tmp_path, cert_file=cert, key_file=key)
    assert isinstance(outcome(demanding(tmp_path, version), files, profile=3), LinkUp)


@BOTH
@pytest.mark.parametrize(
    "make",
    [lambda: root("Another root").issue("SN1"), lambda: ROOT.issue("SN1", ends=NOW - DAY / 2), lambda: self_signed("SN1")],
    ids=["unknown issuer", "expired", "self-signed"],
)
def test_our_certificate_is_refused(make: Callable[[], Identity], version: ssl.TLSVersion, tmp_path: Path) -> None:
    cert, key = make().write(tmp_path, "own")
    down = outcome(demanding(tmp_path, version), trusting(tmp_path, cert_file=cert, key_file=key), profile=3)
    assert isinstance(down, LinkDown)
    assert (down.cause, "our client certificate" in down.detail) == ("tls", True), down
    assert security_event(down) == "FailedToAuthenticateAtCsms"


@BOTH
def test_a_server_that_wants_a_certificate_and_gets_none(version: ssl.TLSVersion, tmp_path: Path) -> None:
    down = outcome(demanding(tmp_path, version), trusting(tmp_path))
    assert isinstance(down, LinkDown)
    assert down.cause == "tls"
    assert "certificate" in down.detail


@pytest.mark.parametrize(("profile", "words"), [(2, "certificate"), (3, "our client certificate")])
@BOTH
def test_a_server_that_hangs_up_without_an_alert(version: ssl.TLSVersion, profile: int, words: str, tmp_path: Path) -> None:
    cert, key = self_signed("SN1").write(tmp_path, "own")
    files = trusting(tmp_path, cert_file=cert, key_file=key)
    down = outcome(demanding(tmp_path, version), files, profile=profile, alerts=False)
    assert isinstance(down, LinkDown)
    if version is ssl.TLSVersion.TLSv1_2:
        assert (down.cause, down.detail) == ("tls", "the CSMS broke off the TLS handshake (is it a ws:// port?)")
    elif profile == 3:
        assert (down.cause, words in down.detail) == ("tls", True)
    else:
        assert down.cause == "protocol"


# ---- the files


@pytest.mark.parametrize("content", [None, "", "no PEM", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"])
@pytest.mark.parametrize("which", ["csms.ca_file", "csms.client_cert_file"])
def test_a_file_that_cannot_be_used_is_named(which: str, content: str | None, tmp_path: Path) -> None:
    file = tmp_path / "file.pem"
    if content is not None:
        file.write_text(content)
    files = TlsFiles(str(file)) if which == "csms.ca_file" else trusting(tmp_path, cert_file=str(file), key_file=str(file))
    with pytest.raises(TlsSetupError, match=which):
        client_context(files, 3)


def test_a_key_that_belongs_to_another_certificate(tmp_path: Path) -> None:
    cert, _ = ROOT.issue("SN1").write(tmp_path, "own")
    _, key = ROOT.issue("SN1").write(tmp_path, "other")
    with pytest.raises(TlsSetupError, match=r"csms\.client_cert_file"):
        client_context(trusting(tmp_path, cert_file=cert, key_file=key), 3)


def test_a_file_that_is_gone_is_a_failed_attempt_and_not_the_end(tmp_path: Path) -> None:
    down = outcome(server_context(ROOT.issue("localhost"), tmp_path), TlsFiles(str(tmp_path / "gone.pem")))
    assert isinstance(down, LinkDown)
    assert (down.cause, "csms.ca_file" in down.detail) == ("tls", True)


def test_without_a_ca_file_the_systems_roots_count(tmp_path: Path) -> None:
    down = outcome(server_context(ROOT.issue("localhost"), tmp_path), TlsFiles())
    assert isinstance(down, LinkDown)
    assert down.cause == "certificate"


def test_an_error_without_words_is_told_as_it_is() -> None:
    assert explain(ssl.SSLError(1, "[SSL: STRANGE] strange (_ssl.c:1)"))[0] == "tls"
