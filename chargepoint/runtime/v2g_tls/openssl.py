"""The second library: pyOpenSSL over memory, for where GnuTLS is not, and to check the one by the other.

Lists of groups and signatures go through `OpenSSL._util`, which is not pyOpenSSL's public face.
"""

from __future__ import annotations

import base64
import importlib
import re
from functools import cache
from typing import Any, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key

from certs.chain import Verdict
from chargepoint.runtime.v2g_tls import plan as p
from chargepoint.runtime.v2g_tls.contract import MOST_HANDSHAKE_OCTETS
from chargepoint.runtime.v2g_tls.hello import TLS_1_2, TLS_1_3
from chargepoint.runtime.v2g_tls.plan import KeyLog, Plan, TlsFailed, TlsMissing
from chargepoint.runtime.v2g_tls.verify import MOST_CERTIFICATES, Refusal, judged, refused

SHORTCOMINGS = (
    "no OCSP responses for sub-CAs; no answer to trusted_ca_keys, and none sent; a certificate that OpenSSL finds right and ISO 15118 does not "
    "is refused with alert 80, whatever is wrong with it"
)
PIECE = 65536
NAMES = {
    p.AES_256_GCM: "TLS_AES_256_GCM_SHA384", p.CHACHA20: "TLS_CHACHA20_POLY1305_SHA256", p.AES_128_GCM: "TLS_AES_128_GCM_SHA256",
    p.ECDHE_AES_128_CBC: "ECDHE-ECDSA-AES128-SHA256", p.ECDHE_AES_128_GCM: "ECDHE-ECDSA-AES128-GCM-SHA256",
    p.P256: "P-256", p.P384: "P-384", p.P521: "P-521", p.X25519: "X25519", p.X448: "X448",
    p.ECDSA_P256: "ECDSA+SHA256", p.ECDSA_P384: "ECDSA+SHA384", p.ECDSA_P521: "ECDSA+SHA512", p.ED448: "ed448",
}  # fmt: skip
VERSIONS = {"TLSv1.2": "1.2", "TLSv1.3": "1.3"}
NO_CHECK_TIME = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME"""
ALERT_READ, ALERT_WRITTEN = 0x4004, 0x4008
"""SSL_CB_READ_ALERT, SSL_CB_WRITE_ALERT"""
FATAL = 2
STAPLE = re.compile(rb"-----BEGIN OCSP RESPONSE-----(.*?)-----END OCSP RESPONSE-----", re.DOTALL)


class Modules(NamedTuple):
    """Of pyOpenSSL. Its types are not ours to check: it need not be installed."""

    SSL: Any
    crypto: Any
    util: Any


@cache
def modules() -> Modules:
    """Raises TlsMissing."""
    try:
        return Modules(*(importlib.import_module(f"OpenSSL.{name}") for name in ("SSL", "crypto", "_util")))
    except ImportError as error:
        raise TlsMissing(f"pyOpenSSL is not installed ({error})") from None


class _Ear:
    """What OpenSSL tells while it works. It knows no engine: one that is held by its own callbacks would never go."""

    def __init__(self, plan: Plan, key_log: KeyLog | None) -> None:
        self.plan, self.key_log = plan, key_log
        self.refusal: Refusal | None = None
        self.verdict: Verdict | None = None
        self.bug: Exception | None = None
        self.sent: int | None = None
        self.received: int | None = None
        self.staples: tuple[bytes, ...] = ()
        self._path: dict[int, bytes] = {}

    def alert(self, connection: Any, where: int, value: int) -> None:
        if value >> 8 == FATAL and where == ALERT_WRITTEN:
            self.sent = value & 0xFF
        elif value >> 8 == FATAL and where == ALERT_READ:
            self.received = value & 0xFF

    def judge(self, connection: Any, certificate: Any, error: int, depth: int, right: int) -> bool:
        """OpenSSL has built the path, and asks about each of it, the leaf last."""
        self._path[depth] = certificate.to_cryptography().public_bytes(Encoding.DER)
        if not right:
            whose = "the vehicle's certificate" if self.plan.role == "server" else "the station's certificate"
            util = modules().util
            words = util.ffi.string(util.lib.X509_verify_cert_error_string(error)).decode()
            self.refusal = self.refusal or Refusal(0, f"{whose}: {words}")
        elif depth == 0:
            path = [self._path[each] for each in sorted(self._path)]
            version = VERSIONS.get(connection.get_protocol_version_name(), "")
            self.verdict = judged(path, self.plan, version)
            self.refusal = self.refusal or refused(self.verdict, self.plan)
        return self.refusal is None

    def log(self, connection: Any, line: bytes) -> None:
        try:
            if self.key_log is not None:
                self.key_log(line.decode())
        except Exception as error:  # noqa: BLE001 C would swallow it; _mind raises it again
            self.bug = error

    def stapled(self, connection: Any, response: bytes, data: Any) -> bool:
        self.staples = (response,) if response else ()
        return True


class OpensslEngine:
    """A connection of pyOpenSSL, as `TlsEngine` says."""

    def __init__(self, plan: Plan, *, key_log: KeyLog | None = None) -> None:
        self.plan = plan
        self._ssl, self._crypto, self._util = modules()
        self._handed = 0
        self._ear = _Ear(plan, key_log)
        self._closed = self._over = self._eof = False
        self.handshake_done = self.ended = self.verified = False
        self.peer_chain: tuple[bytes, ...] = ()
        self._connection = self._ssl.Connection(self._context(), None)
        if plan.role == "server":
            self._connection.set_accept_state()
        else:
            self._connection.request_ocsp()
            self._connection.set_connect_state()

    # --------------------------------------------------------------------------------------------------- set up

    def _context(self) -> Any:
        ssl, plan = self._ssl, self.plan
        context = ssl.Context(ssl.TLS_METHOD)
        numbers = {TLS_1_2: ssl.TLS1_2_VERSION, TLS_1_3: ssl.TLS1_3_VERSION}
        context.set_min_proto_version(numbers[min(plan.versions)])
        context.set_max_proto_version(numbers[max(plan.versions)])
        context.set_options(ssl.OP_NO_COMPRESSION | ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_TICKET | ssl.OP_CIPHER_SERVER_PREFERENCE)
        context.set_session_cache_mode(ssl.SESS_CACHE_OFF)
        context.set_session_id(b"v2g")
        self._allow(context)
        if plan.chain is not None:
            if plan.chain.key.startswith(b"pkcs11:"):
                raise TlsFailed("the key is in a token, for which GnuTLS is needed")
            leaf, *above = x509.load_pem_x509_certificates(plan.chain.certificates)
            context.use_certificate(leaf)
            for each in above:
                context.add_extra_chain_cert(each)
            context.use_privatekey(load_pem_private_key(plan.chain.key, None))
        store = context.get_cert_store()
        for root in plan.roots:
            store.add_cert(self._crypto.X509.from_cryptography(x509.load_pem_x509_certificate(root.pem)))
        if not plan.check_time:
            store.set_flags(NO_CHECK_TIME)
        context.set_verify_depth(MOST_CERTIFICATES - 1)
        self._listen(context)
        return context

    def _allow(self, context: Any) -> None:
        plan, lib = self.plan, self._util.lib
        suites = {number: NAMES[number].encode() for number in plan.ciphers}
        of_1_2 = [name for number, name in suites.items() if number >> 8 == 0xC0]
        of_1_3 = [name for number, name in suites.items() if number >> 8 == 0x13]
        if of_1_2:
            context.set_cipher_list(b":".join(of_1_2))
        if of_1_3:
            context.set_tls13_ciphersuites(b":".join(of_1_3))
        done = lib.SSL_CTX_set1_curves_list(context._context, ":".join(NAMES[each] for each in plan.groups).encode())  # noqa: SLF001
        done &= lib.SSL_CTX_set1_sigalgs_list(context._context, ":".join(NAMES[each] for each in plan.signatures).encode())  # noqa: SLF001
        if done != 1:
            raise TlsFailed("OpenSSL refuses our lists of groups and signatures")

    def _listen(self, context: Any) -> None:
        ear = self._ear
        context.set_info_callback(ear.alert)
        if self.plan.role == "client" or self.plan.ask_client:
            context.set_verify(self._ssl.VERIFY_PEER, ear.judge)
        if ear.key_log is not None:
            context.set_keylog_callback(ear.log)
        if self.plan.role == "client":
            context.set_ocsp_client_callback(ear.stapled)
        else:
            first = STAPLE.search(self.plan.chain.staples) if self.plan.chain else None
            ours = base64.b64decode(first[1]) if first else b""
            context.set_ocsp_server_callback(lambda connection, data: ours)

    # --------------------------------------------------------------------------------------------------- TlsEngine

    @property
    def staples(self) -> tuple[bytes, ...]:
        """The OCSP response (DER) that came with the other side's certificate, if one did."""
        return self._ear.staples

    @property
    def verdict(self) -> Verdict | None:
        """What was found of the other side's chain."""
        return self._ear.verdict

    @property
    def version(self) -> str:
        """`1.2` or `1.3`; "" before the handshake is done."""
        return VERSIONS.get(self._connection.get_protocol_version_name(), "") if self.handshake_done else ""

    @property
    def description(self) -> str:
        """What was agreed on, in OpenSSL's words."""
        if not self.handshake_done:
            return ""
        return f"{self._connection.get_protocol_version_name()} {self._connection.get_group_name()} {self._connection.get_cipher_name()}"

    def feed(self, octets: bytes) -> None:
        self._living()
        if not self.handshake_done:
            self._handed += len(octets)
            if self._handed > MOST_HANDSHAKE_OCTETS:
                self._over = True
                raise TlsFailed(f"more than {MOST_HANDSHAKE_OCTETS} octets of handshake")
        rest = memoryview(octets)
        while rest:
            rest = rest[self._connection.bio_write(bytes(rest)) :]

    def feed_eof(self) -> None:
        self._eof = True

    def step(self) -> bool:
        self._living()
        if not self.handshake_done:
            try:
                self._connection.do_handshake()
            except self._ssl.WantReadError:
                self._mind()
                if self._eof:
                    self._over = True
                    raise TlsFailed("the connection broke off") from None
                return False
            except self._ssl.Error as error:
                raise self._failure(error) from None
            self._mind()
            self.handshake_done = True
            self._see_peer()
        return True

    def _see_peer(self) -> None:
        leaf = self._connection.get_peer_certificate(as_cryptography=True)
        chain = self._connection.get_peer_cert_chain(as_cryptography=True) or []
        if leaf is not None:
            whole = chain if chain[:1] == [leaf] else [leaf, *chain]  # a server is not given the leaf with the others
            self.peer_chain = tuple(each.public_bytes(Encoding.DER) for each in whole)
            self.verified = self._ear.refusal is None

    def read(self) -> bytes:
        self._living()
        if not self.handshake_done or self.ended:
            return b""
        got = bytearray()
        while True:
            try:
                got += self._connection.recv(PIECE)
            except self._ssl.WantReadError:
                if self._eof:
                    self._over = True
                    raise TlsFailed("the connection broke off") from None
                return bytes(got)
            except self._ssl.ZeroReturnError:
                self.ended = True
                return bytes(got)
            except self._ssl.Error as error:
                raise self._failure(error) from None

    def write(self, octets: bytes) -> None:
        self._living()
        if self._closed:
            raise TlsFailed("we have said that we send no more")
        if not self.handshake_done:
            raise TlsFailed("nothing can be sent before the handshake is done")
        rest = memoryview(octets)
        while rest:
            try:
                rest = rest[self._connection.send(bytes(rest[:16384])) :]
            except self._ssl.Error as error:
                raise self._failure(error) from None

    def take(self) -> bytes:
        taken = bytearray()
        while True:
            try:
                taken += self._connection.bio_read(PIECE)
            except self._ssl.WantReadError:
                return bytes(taken)

    def close(self) -> None:
        if self.handshake_done and not (self._over or self._closed):
            self._closed = True
            self._connection.shutdown()

    def free(self) -> None:
        self._over = True
        self.handshake_done = False

    def _living(self) -> None:
        if self._over:
            raise TlsFailed("the connection is over")

    def _mind(self) -> None:
        if self._ear.bug is not None:
            bug, self._ear.bug = self._ear.bug, None
            self._over = True
            raise bug

    def _failure(self, error: Any) -> TlsFailed:
        self._over = True
        ear = self._ear
        if ear.received is not None:
            return TlsFailed(f"the other side ended it with alert {ear.received}", received=ear.received)
        if ear.refusal is not None:
            return TlsFailed(ear.refusal.words, ear.sent, sentence=ear.refusal.sentence)
        reasons = [each[2] for each in error.args[0]] if error.args and isinstance(error.args[0], list) else [str(error)]
        return TlsFailed(f"OpenSSL: {', '.join(reasons) or 'an error without a name'}", ear.sent)
