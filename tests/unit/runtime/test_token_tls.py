"""Security profile 3 with the station's key in a token, against real TLS servers on loopback: who is let in, and in which words the others are refused."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from websockets.asyncio.server import ServerConnection

from certs.store import KeyKind, Subject
from certs.store.files import FileStore
from certs.store.pkcs11 import ANY_CURVE, P256_ONLY, Token, token_keys
from chargepoint.commands import CloseLink, SendText
from chargepoint.config import CsmsConfig
from chargepoint.events import LinkDown, LinkUp, TextReceived
from chargepoint.runtime import token_tls
from chargepoint.runtime.csms_credentials import credentials
from chargepoint.runtime.ports.certificates import Keeper
from chargepoint.runtime.ports.csms import CsmsPort
from chargepoint.runtime.tls import TlsFiles, TlsSetupError
from chargepoint.runtime.token_tls import TokenTls
from chargepoint.runtime.v2g_tls.engine import Engine
from chargepoint.runtime.v2g_tls.plan import TlsMissing
from tests.unit.certs.store_rig import QuickDisk
from tests.unit.runtime.csms_rig import Ears, Stream, a_csms, a_listener, a_port, a_tls_csms, order, says_nothing, virtually, wait_closed
from tests.unit.runtime.test_csms_tls import ROOT, RSA_ROOT, SUB, answers_in_http, hangs_up, security_event, server_context
from tests.unit.runtime.tls_pki import CLIENT, DAY, NOW, Identity, ec_key, root, rsa_key, self_signed, with_sha1

pytestmark = pytest.mark.xdist_group("token")
VERSIONS = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3]
BOTH = pytest.mark.parametrize("version", VERSIONS)
OWN: Any = "ChargingStationCertificate"


class Box:
    """A store whose keys are in a token, and what a connection gets of it."""

    def __init__(self, folder: Path, token: Token, kinds: tuple[KeyKind, ...] = ANY_CURVE) -> None:
        self.token = token
        self.store = FileStore(folder / "store", keys=token_keys(token, kinds), disk=QuickDisk())
        for each in (ROOT, RSA_ROOT):
            self.store.install_root("CSMSRootCertificate", each.certificate.public_bytes(Encoding.PEM).decode())
        self.keeper = Keeper(lambda: self.store)

    def adopt(self, kind: KeyKind = "p256", by: Identity = SUB, **named: Any) -> str:
        slot, _ = self.store.make_request(OWN, kind, Subject("SN1"))
        key: Any = self.store._keys.load(slot)
        issued = by.issue("SN1", key, **{"usage": CLIENT, **named})
        chain = (issued.certificate, *issued.issuers)
        self.store.adopt(slot, "".join(each.public_bytes(Encoding.PEM).decode() for each in chain))
        return slot

    def files(self, **changes: Any) -> TlsFiles:
        self.keeper.read()
        config = CsmsConfig(ca_file="/configured.pem")
        found = credentials(config, lambda: self.keeper.held, order("wss://localhost/"), token_module=self.token.module)
        return replace(found, **changes)


@pytest.fixture
def box(softhsm: Token, tmp_path: Path) -> Box:
    """Keys are called by their slots: in one token there is one such station at a time."""
    made = Box(tmp_path / "box", softhsm)
    made.adopt()
    return made


def at_most(version: ssl.TLSVersion, context: ssl.SSLContext) -> None:
    context.maximum_version = version


def demanding(folder: Path, version: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3, server: Identity | None = None) -> ssl.SSLContext:
    context = server_context(server or ROOT.issue("localhost"), folder, change=partial(at_most, version))
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(ROOT.write(folder, "clients")[0])
    return context


def outcome(
    context: ssl.SSLContext,
    files: TlsFiles,
    *,
    host: str = "localhost",
    alerts: bool = True,
    wildcards: bool = False,
    handler: Any = wait_closed,
) -> LinkUp | LinkDown:
    found: list[LinkUp | LinkDown] = []

    async def story() -> None:
        serving = a_tls_csms(handler, context) if alerts else a_csms(handler, context)
        async with serving as url, a_port(files) as (port, ears):
            port.carry_out(order(url.replace("localhost", host), security_profile=3, wildcards=wildcards))
            event = await ears.queue.get()
            assert isinstance(event, (LinkUp, LinkDown))
            found.append(event)

    virtually(story())
    return found[0]


def refused(*arguments: Any, **named: Any) -> LinkDown:
    down = outcome(*arguments, **named)
    assert isinstance(down, LinkDown)
    return down


# ---- let in


@pytest.mark.req("S-29", "TC_A_07", "A00.FR.401")
@BOTH
@pytest.mark.parametrize("kind", ANY_CURVE)
def test_our_certificate_is_taken_and_both_sides_talk(softhsm: Token, kind: KeyKind, version: ssl.TLSVersion, tmp_path: Path) -> None:
    box = Box(tmp_path / "box", softhsm)
    slot = box.adopt(kind)
    shown: list[Any] = []
    closed: asyncio.Future[tuple[int | None, str | None]]

    async def echo(link: ServerConnection) -> None:
        tls = link.transport.get_extra_info("ssl_object")
        shown.append(x509.load_der_x509_certificate(tls.getpeercert(binary_form=True)))
        shown.append(tls.version())
        async for text in link:
            await link.send(text)
        closed.set_result((link.close_code, link.close_reason))

    async def story() -> None:
        nonlocal closed
        closed = asyncio.get_running_loop().create_future()
        async with a_csms(echo, demanding(tmp_path, version)) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url, security_profile=3))
            up = await ears.next(LinkUp)
            assert up.root == next(each.fingerprint for each in box.store.contents().roots if "Test root" in each.subject)
            for text in ("[2]", "x" * 300_000, "y" * 100):
                port.carry_out(SendText(text))
            assert [(await ears.next(TextReceived)).text[:3] for _ in range(3)] == ["[2]", "xxx", "yyy"]
            port.carry_out(CloseLink(1000, "new credentials"))
            assert (await ears.next(LinkDown)).cause == "closed"
            assert await closed == (1000, "new credentials")

    virtually(story())
    chain = box.store.contents().own[0].pem
    assert (shown[0], shown[1]) == (x509.load_pem_x509_certificate(chain.encode()), f"TLSv{version.name[-3:].replace('_', '.')}")
    assert not [each for each in tmp_path.rglob("*") if each.is_file() and slot in each.name and b"PRIVATE" in each.read_bytes()]
    assert not list((tmp_path / "box").rglob("*.key"))
    box.store.delete_own(slot)


@pytest.mark.parametrize(
    ("make", "host"),
    [
        (lambda: ROOT.issue("CSMS", names=("other.example", "localhost")), "localhost"),
        (lambda: ROOT.issue("CSMS", names=("127.0.0.1",)), "127.0.0.1"),
        (lambda: SUB.issue("localhost"), "localhost"),
        (lambda: ROOT.issue("localhost", rsa_key(2048)), "localhost"),
        (lambda: RSA_ROOT.issue("localhost", rsa_key(2048)), "localhost"),
        (lambda: ROOT.issue("localhost", ec_key(ec.SECP384R1())), "localhost"),
    ],
    ids=["alternative name", "address", "sub-CA", "RSA", "RSA by RSA", "P-384"],
)
@BOTH
def test_a_good_server(box: Box, make: Callable[[], Identity], host: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    assert isinstance(outcome(demanding(tmp_path, version, make()), box.files(), host=host), LinkUp)


def test_a_certificate_that_is_trusted_itself(box: Box, tmp_path: Path) -> None:
    """A CSMS at home signs its own."""
    home = self_signed("localhost")
    files = box.files(roots=home.certificate.public_bytes(Encoding.PEM).decode())
    assert isinstance(outcome(demanding(tmp_path, server=home), files), LinkUp)


@pytest.mark.req("M05.FR.12")
def test_a_root_that_the_one_before_has_signed(box: Box, tmp_path: Path) -> None:
    new = ROOT.issue("New root", is_ca=True)
    files = box.files(roots=new.certificate.public_bytes(Encoding.PEM).decode())
    assert isinstance(outcome(demanding(tmp_path, server=new.issue("localhost")), files), LinkUp)


def test_the_systems_roots_count_where_none_is_configured(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "hashed").mkdir()
    (tmp_path / "hashed" / "deadbeef.0").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    (tmp_path / "hashed" / "deadbeef.1").write_text("no PEM")
    (tmp_path / "all.pem").write_bytes(ROOT.certificate.public_bytes(Encoding.PEM))
    for file, folder in ((tmp_path / "all.pem", tmp_path / "empty"), (tmp_path / "none.pem", tmp_path / "hashed")):
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
        monkeypatch.setenv("SSL_CERT_DIR", str(folder))
        assert isinstance(outcome(demanding(tmp_path), box.files(roots="", system=True)), LinkUp)
    down = refused(demanding(tmp_path), box.files(roots="", system=False))
    assert (down.cause, "root that is known here" in down.detail) == ("certificate", True), down


def test_what_is_offered(box: Box, tmp_path: Path) -> None:
    seen: list[Any] = []

    async def look(link: ServerConnection) -> None:
        tls = link.transport.get_extra_info("ssl_object")
        seen.append((tls.version(), tls.compression(), {each[0] for each in tls.shared_ciphers()}))
        await wait_closed(link)

    context = demanding(tmp_path, server=ROOT.issue("localhost", rsa_key(2048)))
    context.set_ciphers("ALL:@SECLEVEL=0")
    named: list[str | None] = []
    context.sni_callback = lambda tls, name, of: named.append(name)
    assert isinstance(outcome(context, box.files(), alerts=False, handler=look), LinkUp)
    assert (seen, named) == (
        [
            (
                "TLSv1.3",
                None,
                {
                    "TLS_AES_256_GCM_SHA384", "TLS_AES_128_GCM_SHA256",
                    "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256",
                    "ECDHE-RSA-AES256-GCM-SHA384", "AES128-GCM-SHA256", "AES256-GCM-SHA384",
                },
            )
        ],
        ["localhost"],
    )  # fmt: skip


def test_with_threads_the_token_is_asked_in_one_of_its_own(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    step = Engine.step

    def noted(engine: Engine) -> bool:
        asked.append(threading.current_thread().name)
        return step(engine)

    monkeypatch.setattr(Engine, "step", noted)

    async def story() -> None:
        async with a_csms(wait_closed, demanding(tmp_path)) as url:
            ears = Ears()
            port = CsmsPort(ears, lambda _: box.files(), threaded=True)
            port.carry_out(order(url, security_profile=3))
            await ears.next(LinkUp)
            await port.stop()

    asyncio.run(story())
    assert set(asked) == {"token"}


# ---- refused by us


@pytest.mark.req("S-29", "F-8", "F-9", "TC_A_05")
@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ROOT.issue("other.example"), "localhost"),
        (lambda: ROOT.issue("localhost", names=("other.example",)), "localhost"),
        (lambda: ROOT.issue("localhost", ends=NOW - DAY / 2), "expired"),
        (lambda: ROOT.issue("localhost", begins=NOW + DAY), "not valid before"),
        (lambda: ROOT.issue("old", is_ca=True, ends=NOW - DAY / 2).issue("localhost"), "expired"),
        (lambda: root("Another root").issue("localhost"), "nor a root that is known here"),
        (lambda: self_signed("localhost"), "signed itself"),
        (lambda: ROOT.issue("localhost", rsa_key(1024)), "rsa1024"),
        (lambda: with_sha1(RSA_ROOT.issue("localhost"), RSA_ROOT), "sha1"),
        (lambda: ROOT.issue("localhost", usage=CLIENT), "clientAuth"),
        (lambda: ROOT.issue("no CA").issue("localhost"), "CA"),
    ],
    ids=["host", "host in the alternative name", "expired", "not yet", "expired sub-CA", "wrong root", "self-signed", "RSA 1024", "SHA-1", "for clients",
         "issuer is no CA"],
)  # fmt: skip
@BOTH
def test_a_certificate_that_is_refused(box: Box, make: Callable[[], Identity], words: str, version: ssl.TLSVersion, tmp_path: Path) -> None:
    reached: list[object] = []

    async def note(link: ServerConnection) -> None:
        reached.append(link)

    down = refused(demanding(tmp_path, version, make()), box.files(), handler=note)
    assert (down.cause, words in down.detail, reached) == ("certificate", True, []), down
    assert security_event(down) == "InvalidCsmsCertificate"


@pytest.mark.parametrize("allowed", [True, False])
def test_a_wildcard_is_taken_where_it_is_allowed(box: Box, allowed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from chargepoint.runtime import tcp

    connect = tcp.connect
    monkeypatch.setattr(tcp, "connect", lambda _, port, **how: connect("localhost", port, **how))
    context = demanding(tmp_path, server=ROOT.issue("CSMS", names=("*.hub.example",)))
    came = outcome(context, box.files(), host="csms.hub.example", wildcards=allowed)
    if allowed:
        assert isinstance(came, LinkUp)
    else:
        assert isinstance(came, LinkDown)
        assert (came.cause, "AllowCSMSTLSWildcards" in came.detail) == ("certificate", True)
        assert security_event(came) == "InvalidCsmsCertificate"


def test_a_certificate_that_is_known_to_be_revoked(box: Box, tmp_path: Path) -> None:
    from certs.reading import fingerprint

    server = ROOT.issue("localhost")
    down = refused(demanding(tmp_path, server=server), box.files(revocation={fingerprint(server.certificate): "revoked"}))
    assert (down.cause, "revoked" in down.detail) == ("certificate", True)


@pytest.mark.req("S-29", "TC_A_06")
def test_a_server_that_speaks_too_old_a_version(box: Box, tmp_path: Path) -> None:
    context = server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_1
    down = refused(context, box.files())
    assert (down.cause, "TLS version" in down.detail) == ("tls", True), down
    assert security_event(down) == "InvalidTLSVersion"


@pytest.mark.req("S-29")
@pytest.mark.parametrize("suites", ["ECDHE-RSA-AES128-SHA256", "DHE-RSA-AES256-GCM-SHA384", "ECDHE-RSA-CHACHA20-POLY1305", "AES128-SHA"])
def test_a_server_with_none_of_the_suites(box: Box, suites: str, tmp_path: Path) -> None:
    context = server_context(ROOT.issue("localhost", rsa_key(2048)), tmp_path, change=partial(at_most, ssl.TLSVersion.TLSv1_2))
    context.set_ciphers(f"{suites}:@SECLEVEL=0")
    down = refused(context, box.files())
    assert (down.cause, "cipher suite" in down.detail) == ("tls", True), down
    assert security_event(down) == "InvalidTLSCipherSuite"


@pytest.mark.parametrize("talk", [answers_in_http, hangs_up])
def test_a_port_without_tls(box: Box, talk: Stream) -> None:
    async def story() -> None:
        async with a_listener(talk) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            down = await ears.next(LinkDown)
            assert (down.cause, "ws:// port" in down.detail) == ("tls", True), down

    virtually(story())


@pytest.mark.req("F-8")
def test_a_port_that_never_shakes_hands(box: Box) -> None:
    async def story() -> None:
        async with a_listener(says_nothing) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            assert (await ears.next(LinkDown)).cause == "timeout"

    virtually(story())


@pytest.mark.req("S-29")
def test_a_port_that_talks_without_end(box: Box) -> None:
    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        writer.write(bytes([22, 3, 3, 0x40, 0]) + bytes(100_000))
        await says_nothing(reader, writer)

    async def story() -> None:
        async with a_listener(floods) as url, a_port(box.files()) as (port, ears):
            port.carry_out(order(url.replace("ws:", "wss:"), security_profile=3))
            assert (await ears.next(LinkDown)).cause == "tls"

    virtually(story())


# ---- refused by the CSMS


@BOTH
@pytest.mark.parametrize("alerts", [True, False])
@pytest.mark.parametrize(
    ("by", "named"), [(root("Another root"), {}), (ROOT, {"ends": NOW - DAY / 2})], ids=["unknown issuer", "expired"]
)  # fmt: skip
def test_our_certificate_is_refused(
    softhsm: Token, by: Identity, named: dict[str, Any], alerts: bool, version: ssl.TLSVersion, tmp_path: Path
) -> None:
    box = Box(tmp_path / "box", softhsm)
    slot = box.adopt(by=by, **named)
    down = refused(demanding(tmp_path, version), box.files(), alerts=alerts)
    if alerts or version is ssl.TLSVersion.TLSv1_3:
        assert (down.cause, "our client certificate" in down.detail) == ("tls", True), down
        assert security_event(down) == "FailedToAuthenticateAtCsms"
    else:
        assert (down.cause, down.detail) == ("tls", "the CSMS broke off the TLS handshake (is it a ws:// port?)")
    box.store.delete_own(slot)


# ---- what is not there


@pytest.mark.req("F-2")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda files: replace(files, token_module="/nowhere/p11.so"), "there is no such PKCS#11 library"),
        (lambda files: replace(files, key=files.key.replace(b"token=t", b"token=away")), "not available"),
        (lambda files: replace(files, chain=b"no chain"), "our certificate"),
        (lambda files: replace(files, roots="-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), "the roots for the CSMS"),
        (lambda files: replace(files, ca_file="/none.pem"), "csms.ca_file /none.pem: No such file"),
    ],
    ids=["module", "token", "chain", "roots", "file"],
)
def test_what_cannot_be_used_is_said(box: Box, change: Callable[[TlsFiles], TlsFiles], words: str, tmp_path: Path) -> None:
    down = refused(demanding(tmp_path), change(box.files()))
    assert (down.cause, words in down.detail) == ("tls", True), down
    assert isinstance(outcome(demanding(tmp_path), box.files()), LinkUp), "and the next attempt goes well"


def test_a_wrong_pin_is_told_without_it(box: Box, tmp_path: Path) -> None:
    (tmp_path / "wrong").write_text("9876")
    files = box.files()
    down = refused(
        demanding(tmp_path), replace(files, key=files.key.replace(box.token.pin_file.encode(), str(tmp_path / "wrong").encode()))
    )
    assert (down.cause, "9876" in down.detail) == ("tls", False)
    assert "token" in down.detail


def test_without_gnutls_its_package_is_named(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: Any, **__: Any) -> None:
        raise TlsMissing("install the package libgnutls30")

    monkeypatch.setattr(token_tls, "Engine", missing)
    with pytest.raises(TlsSetupError, match="libgnutls30"):
        TokenTls(box.files(), "localhost")._engine()


ERRORS = """
import ctypes, ssl
from chargepoint.runtime.certificate_store import use_token
use_token({module!r})
(name, *_) = [line.split()[-1] for line in open("/proc/self/maps") if "libcrypto" in line and ".libs" not in line]
print(ctypes.CDLL(name).ERR_peek_error())
"""


def test_a_token_that_is_loaded_leaves_no_error_where_python_would_find_it(softhsm: Token) -> None:
    """The connection to the CSMS, with a key in a file, would break when the first vehicle comes."""
    done = subprocess.run([sys.executable, "-c", ERRORS.format(module=softhsm.module)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


# ---- a TPM


def test_a_tpm_has_room_for_the_connection_and_for_what_comes_after_it(tpm: Token, tmp_path: Path) -> None:
    """It holds three things at once: nothing is left open in it while a connection stands."""
    box = Box(tmp_path, tpm, P256_ONLY)

    async def story() -> None:
        async with a_csms(wait_closed, demanding(tmp_path)) as url, a_port(box.files()) as (first, ears):
            first.carry_out(order(url, security_profile=3))
            await ears.next(LinkUp)
            box.adopt()
            for _ in range(4):
                async with a_port(box.files()) as (port, others):
                    port.carry_out(order(url, security_profile=3))
                    await others.next(LinkUp)

    box.adopt()
    virtually(story())
    for each in box.store.contents().own:
        box.store.delete_own(each.slot)
