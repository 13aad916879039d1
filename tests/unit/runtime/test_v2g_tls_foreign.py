"""Our TLS against OpenSSL: Python's `ssl` in memory, and the programs `openssl s_client` and `s_server` over loopback."""

from __future__ import annotations

import contextlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from certs import testpki
from chargepoint.runtime.v2g_tls import Chains, Engine, Plan, Server, TlsFailed, chains_of, client_plan
from tests.unit.runtime.v2g_tls_rig import folder, pki

STATION = chains_of(pki())
PIECE = 65536
SECONDS = 20.0
RENEGOTIATE = b"R\n"


# --------------------------------------------------------------------------------------------------- ssl of Python, in memory


class Peer:
    """`ssl` over memory, with the verbs of our engine. It cannot name groups or signatures before Python 3.15."""

    def __init__(self, context: ssl.SSLContext, name: str | None = None) -> None:
        self._in, self._out = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.object = context.wrap_bio(self._in, self._out, server_hostname=name)
        self.done = False

    def step(self) -> None:
        with contextlib.suppress(ssl.SSLWantReadError):
            if not self.done:
                self.object.do_handshake()
                self.done = True

    def read(self) -> bytes:
        with contextlib.suppress(ssl.SSLWantReadError):
            return self.object.read(PIECE)
        return b""


def a_peer(version: ssl.TLSVersion, wrong: testpki.Wrong = "", *, below: str = "iso20", chain: str = "vehicle", ciphers: str = "") -> Peer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version = context.maximum_version = version
    if ciphers:
        context.set_ciphers(ciphers)
    context.load_verify_locations(folder() / below / "v2gRootCACert.pem")
    if chain:
        mine = folder(wrong) / below
        context.load_cert_chain(mine / f"{chain}CertChain.pem", mine / f"{chain}Leaf.key")
    return Peer(context)


def shake(server: Server, peer: Peer) -> None:
    for _ in range(10):
        peer.step()
        octets = peer._out.read()
        server.feed(octets)
        server.step()
        sent = server.take()
        peer._in.write(sent)
        if not (octets or sent):
            return


def talk(server: Server, peer: Peer) -> None:
    peer.object.write(b"request" * 5000)
    server.feed(peer._out.read())
    assert server.read() == b"request" * 5000
    server.write(b"response")
    peer._in.write(server.take())
    assert peer.read() == b"response"


def test_python_1_2() -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_2, below="", chain="", ciphers="ECDHE-ECDSA-AES128-SHA256")
    shake(server, peer)
    assert peer.object.cipher() == ("ECDHE-ECDSA-AES128-SHA256", "TLSv1.2", 128)
    assert (server.version, server.verified, server.peer_chain) == ("1.2", False, ())
    talk(server, peer)


def test_python_1_3_mutual() -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_3)
    shake(server, peer)
    assert peer.object.cipher() == ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)
    assert server.verified
    assert server.hello is not None
    assert server.hello.groups[0] not in {0x19, 0x1E}  # its key share is for another group: we have asked anew
    assert len(server.peer_chain) == 3
    talk(server, peer)


def test_python_1_3_without_certificate() -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_3, chain="")
    shake(server, peer)
    assert server.handshake_done
    assert not server.verified
    talk(server, peer)


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("wrong", "alert", "words"),
    [
        ("expired", 45, "ALERT_CERTIFICATE_EXPIRED"),
        ("not_yet_valid", 45, "ALERT_CERTIFICATE_EXPIRED"),
        ("wrong_root", 48, "ALERT_UNKNOWN_CA"),
        ("leaf_is_ca", 42, "ALERT_BAD_CERTIFICATE"),
        ("no_digital_signature", 43, "ALERT_UNSUPPORTED_CERTIFICATE"),
    ],
)
def test_python_hears_why_it_is_refused(wrong: testpki.Wrong, alert: int, words: str) -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_3, wrong)
    with pytest.raises(TlsFailed) as caught:
        shake(server, peer)
    assert caught.value.alert == alert, caught.value
    peer._in.write(server.take())
    with pytest.raises(ssl.SSLError, match=words):
        peer.read()


@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    "ciphers", ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES128-GCM-SHA256", "AES128-SHA", "ECDHE-ECDSA-AES128-SHA"]
)
def test_python_with_other_suites(ciphers: str) -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_2, below="", chain="", ciphers=f"{ciphers}:@SECLEVEL=0")
    with pytest.raises(TlsFailed, match="no cipher suite") as caught:
        shake(server, peer)
    assert caught.value.alert == 40
    peer._in.write(server.take())
    with pytest.raises(ssl.SSLError, match="HANDSHAKE_FAILURE"):
        peer.object.do_handshake()


@pytest.mark.req("S-29")
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_python_with_an_old_version(version: ssl.TLSVersion) -> None:
    server, peer = Server(STATION), a_peer(version, below="", chain="", ciphers="ALL:@SECLEVEL=0")
    with pytest.raises(TlsFailed, match=r"no TLS 1\.2") as caught:
        shake(server, peer)
    assert caught.value.alert == 70
    peer._in.write(server.take())
    with pytest.raises(ssl.SSLError, match="ALERT_PROTOCOL_VERSION"):
        peer.object.do_handshake()


@pytest.mark.parametrize(("highest", "lax", "agreed", "verified"), [
    (ssl.TLSVersion.TLSv1_2, False, "1.2", False), (ssl.TLSVersion.TLSv1_3, False, "1.2", False), (ssl.TLSVersion.TLSv1_3, True, "1.3", True),
])  # fmt: skip
def test_set_up_as_the_evcc_of_pypi(highest: ssl.TLSVersion, lax: bool, agreed: str, verified: bool) -> None:
    """One group, P-256, the OEM's provisioning certificate for the vehicle's, and an address for a name: TLS 1.3 is for the lax only."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1_2, highest
    context.set_ecdh_curve("prime256v1")
    context.load_verify_locations(folder() / "v2gRootCACert.pem")
    context.load_cert_chain(folder() / "oemCertChain.pem", folder() / "oemLeaf.key")
    server, peer = Server(chains_of(pki(), lax=lax)), Peer(context, "fe80::1%eth0")
    shake(server, peer)
    assert server.hello is not None
    assert server.hello.groups == (0x17,)
    assert server.hello.odd_name
    assert (server.version, server.verified) == (agreed, verified)
    talk(server, peer)


def test_python_refuses_us() -> None:
    """OpenSSL says so in the clear, though the keys are agreed on."""
    server, peer = Server(chains_of(pki("wrong_root"))), a_peer(ssl.TLSVersion.TLSv1_3)
    peer.step()
    server.feed(peer._out.read())
    server.step()
    peer._in.write(server.take())
    peer.step()
    server.feed(peer._out.read())
    server.step()  # our hello was for another group: asked anew
    peer._in.write(server.take())
    with pytest.raises(ssl.SSLCertVerificationError):
        peer.step()
    with pytest.raises(TlsFailed, match="alert 48") as caught:
        server.feed(peer._out.read())
        server.step()
    assert caught.value.received == 48


@pytest.mark.req("S-29")
def test_python_closes_without_a_word() -> None:
    server, peer = Server(STATION), a_peer(ssl.TLSVersion.TLSv1_3)
    shake(server, peer)
    server.feed_eof()
    with pytest.raises(TlsFailed, match="broke off"):
        server.read()


# ----------------------------------------------------------------------------------------------------- openssl, over loopback


@pytest.fixture(scope="module")
def openssl() -> str:
    found = shutil.which("openssl")
    if not found:
        pytest.skip("no openssl: make oracles")
    return found


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(SECONDS)
        yield listener, listener.getsockname()[1]


def carry(engine: Server, sock: socket.socket, until: bytes, answer: bytes) -> bytes:
    """Everything that comes, until `until` has come and is answered, or the other side has gone."""
    sock.settimeout(SECONDS)
    got, answered = b"", False
    while not engine.ended:
        engine.step()
        got += engine.read()
        if until in got and not answered:
            answered = True
            engine.write(answer)
            engine.close()
        sock.sendall(engine.take())
        if answered:
            break
        octets = sock.recv(PIECE)
        if not octets:
            break
        engine.feed(octets)
    return got


def s_client(
    openssl: str, *options: str | Path, chains: Chains = STATION, types: bytes = b"ping\n"
) -> tuple[Server, TlsFailed | None, str]:
    """A session of the program with our server: what we and what it say of it."""
    with listening() as (listener, port):
        command = [openssl, "s_client", "-connect", f"127.0.0.1:{port}", "-brief", "-verify_return_error", *options]
        command += [] if types == RENEGOTIATE else ["-ign_eof"]  # which also makes it deaf to its own commands
        client = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        server, failed = Server(chains), None
        try:
            assert client.stdin is not None
            client.stdin.write(types)
            client.stdin.flush()
            with listener.accept()[0] as sock:
                try:
                    assert carry(server, sock, b"ping\n", b"pong from the station\n") in {b"ping\n", b""}
                except TlsFailed as error:
                    failed = error
                    sock.sendall(server.take())
                sock.shutdown(socket.SHUT_WR)
                with contextlib.suppress(ConnectionError):
                    while sock.recv(PIECE):
                        pass
            said = client.communicate(timeout=SECONDS)[0]
        finally:
            client.kill()
            client.wait()
        return server, failed, said.decode(errors="replace")


def identity(below: str, name: str = "vehicle", wrong: testpki.Wrong = "") -> tuple[str | Path, ...]:
    mine = folder(wrong) / below
    chain = mine / f"{name}CertChain.pem"
    return "-cert", chain, "-cert_chain", chain, "-key", mine / f"{name}Leaf.key", "-CAfile", folder() / below / "v2gRootCACert.pem"


P521 = ("-tls1_3", "-groups", "P-521", "-sigalgs", "ECDSA+SHA512", "-ciphersuites", "TLS_AES_256_GCM_SHA384")
ED448 = ("-tls1_3", "-groups", "X448", "-sigalgs", "ed448", "-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256")
ISO_2 = ("-tls1_2", "-groups", "P-256", "-sigalgs", "ECDSA+SHA256", "-cipher", "ECDHE-ECDSA-AES128-SHA256")


@pytest.mark.peer
@pytest.mark.parametrize(
    ("options", "below", "version", "agreed"),
    [
        (P521, "iso20", "1.3", "TLS_AES_256_GCM_SHA384"),
        (ED448, "iso20/ed448", "1.3", "TLS_CHACHA20_POLY1305_SHA256"),
        (ISO_2, "", "1.2", "ECDHE-ECDSA-AES128-SHA256"),
    ],
)
def test_s_client(openssl: str, options: tuple[str, ...], below: str, version: str, agreed: str) -> None:
    server, failed, said = s_client(openssl, *options, *identity(below), "-status")
    assert failed is None, said
    assert server.version == version
    assert server.verified == (version == "1.3")
    assert agreed in said
    assert "Verification: OK" in said
    assert "pong from the station" in said


@pytest.mark.peer
def test_s_client_as_it_comes_is_asked_for_another_group(openssl: str) -> None:
    server, failed, said = s_client(openssl, *identity("iso20"))
    assert failed is None, said
    assert (server.version, server.verified) == ("1.3", True)
    assert "pong" in said


@pytest.mark.peer
@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("options", "alert", "heard"),
    [
        (("-tls1_3", "-groups", "P-256"), 40, "handshake failure"),
        (("-tls1_3", "-ciphersuites", "TLS_AES_128_GCM_SHA256"), 40, "handshake failure"),
        (("-tls1_3", "-sigalgs", "RSA-PSS+SHA256"), 40, "handshake failure"),
        (("-tls1_2", "-groups", "P-384"), 40, "handshake failure"),
        (("-tls1_2", "-cipher", "AES128-GCM-SHA256"), 40, "handshake failure"),
        (("-tls1_1", "-cipher", "ALL:@SECLEVEL=0"), 70, "protocol version"),
        ((*ISO_2, "-fallback_scsv"), 86, "inappropriate fallback"),
    ],
)
def test_s_client_refused(openssl: str, options: tuple[str, ...], alert: int, heard: str) -> None:
    _, failed, said = s_client(openssl, *options)
    assert failed is not None, said
    assert failed.alert == alert, failed
    assert heard in said


@pytest.mark.peer
@pytest.mark.req("S-29")
@pytest.mark.parametrize(
    ("wrong", "alert", "heard"),
    [
        ("expired", 45, "certificate expired"),
        ("wrong_root", 48, "unknown ca"),
        ("leaf_is_ca", 42, "bad certificate"),
        ("no_digital_signature", 43, "unsupported certificate"),
    ],
)
def test_s_client_with_a_bad_certificate(openssl: str, wrong: testpki.Wrong, alert: int, heard: str) -> None:
    server, failed, said = s_client(openssl, *P521, *identity("iso20", wrong=wrong))
    assert failed is not None, said
    assert failed.alert == alert, failed
    assert heard in said
    assert not server.verified


@pytest.mark.peer
@pytest.mark.req("S-29")
def test_s_client_that_renegotiates(openssl: str) -> None:
    _, failed, said = s_client(openssl, *ISO_2, "-CAfile", folder() / "v2gRootCACert.pem", types=RENEGOTIATE)
    assert failed is not None, said
    assert "anew" in str(failed)
    assert failed.alert == 100


@pytest.mark.peer
def test_lax_for_an_ev_that_knows_p256_only(openssl: str) -> None:
    options = ("-tls1_3", "-groups", "P-256", *identity("", "oem"))
    _, failed, _ = s_client(openssl, *options)
    assert failed is not None
    server, failed, said = s_client(openssl, *options, chains=chains_of(pki(), lax=True))
    assert failed is None, said
    assert server.verified
    assert "Verification: OK" in said


@pytest.mark.peer
@pytest.mark.parametrize(
    ("plan", "below", "options"),
    [
        (client_plan("1.3", pki().iso2, pki().iso20), "iso20", ("-tls1_3", "-groups", "P-521", "-Verify", "3")),
        (replace(client_plan("1.3", pki().iso2, pki().iso20_ed448), signatures=(0x0808,)), "iso20/ed448", ("-tls1_3", "-groups", "X448", "-Verify", "3")),
        (client_plan("1.2", pki().iso2, pki().iso20), "", ("-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA256")),
        (client_plan("any", pki().iso2, pki().iso20), "iso20", ("-groups", "P-521", "-Verify", "3")),
        (client_plan("any", pki().iso2, pki().iso20), "", ("-tls1_2",)),
    ],
)  # fmt: skip
def test_s_server(openssl: str, plan: Plan, below: str, options: tuple[str, ...]) -> None:
    mine = folder() / below
    with listening() as (_, port):
        pass
    chain = mine / "cpoCertChain.pem"
    files: list[str | Path] = ["-cert", chain, "-cert_chain", chain, "-key", mine / "seccLeaf.key", "-CAfile", mine / "oemRootCACert.pem"]
    command = [openssl, "s_server", "-accept", f"127.0.0.1:{port}", "-naccept", "1", "-rev", "-verify_return_error", *options, *files]
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    client = Engine(plan)
    try:
        sock = reached(port, server)
        with sock:
            sock.settimeout(SECONDS)
            got = b""
            written = False
            while b"gnip" not in got:
                if client.step() and not written:
                    client.write(b"ping\n")
                    written = True
                sock.sendall(client.take())
                octets = sock.recv(PIECE)
                assert octets, "it went away"
                client.feed(octets)
                client.step()
                got += client.read()
            client.close()
            sock.sendall(client.take())
    finally:
        server.kill()
        said = server.communicate()[0].decode(errors="replace")
    assert client.verified, said
    assert len(set(client.peer_chain)) == 3


def reached(port: int, server: subprocess.Popen[bytes]) -> socket.socket:
    for _ in range(int(SECONDS * 20)):
        with contextlib.suppress(ConnectionRefusedError):
            return socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    raise AssertionError("s_server does not listen")
