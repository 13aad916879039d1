"""One TLS connection on GnuTLS without I/O: octets in, octets out."""

from __future__ import annotations

import ctypes
import itertools
import weakref
from collections.abc import Callable
from ctypes import byref, c_int, c_uint, c_void_p
from functools import lru_cache
from typing import Any

from certs.chain import Verdict
from chargepoint.runtime.v2g_tls import gnutls
from chargepoint.runtime.v2g_tls.contract import MOST_HANDSHAKE_OCTETS
from chargepoint.runtime.v2g_tls.gnutls import Credentials, Datum, alert_words, library, words_of
from chargepoint.runtime.v2g_tls.hello import (
    CERTIFICATE_AUTHORITIES,
    TLS_1_2,
    TLS_1_3,
    TRUSTED_CA_KEYS,
    certificate_authorities,
    trusted_ca_keys,
)
from chargepoint.runtime.v2g_tls.plan import HANDSHAKE_FAILURE, KeyLog, Plan, TlsFailed
from chargepoint.runtime.v2g_tls.verify import BAD, UNSUPPORTED, Refusal, judged, refusal, refused, second

MOST_RECORD = 16384
PLAIN_ALERT = 7
"""Octets of a record with an alert in the clear."""
NO_RENEGOTIATION, INTERNAL_ERROR = 100, 80


class Engine:
    """A session of GnuTLS, as `TlsEngine` says."""

    def __init__(self, plan: Plan, *, key_log: KeyLog | None = None, kept: bool = True) -> None:
        """`kept`: chain and key are read once for all handshakes of this plan; else for this one, and given back after it."""
        self.plan, self._key_log, self._kept = plan, key_log, kept
        self._lib = library()
        self._credentials = _credentials_of(plan) if kept else Credentials(plan, _VERIFY)
        self._input, self._output = bytearray(), bytearray()
        self._handed = 0
        self._tail = b""
        self._refusal: Refusal | None = None
        self._bug: BaseException | None = None
        self._eof = self._closed = self._over = False
        self.handshake_done = self.ended = self._judged_right = False
        self.peer_chain: tuple[bytes, ...] = ()
        self.verdict: Verdict | None = None
        self._session = c_void_p()
        self._open()

    def _open(self) -> None:
        lib, role = self._lib, gnutls.SERVER if self.plan.role == "server" else gnutls.CLIENT | gnutls.FORCE_CLIENT_CERT
        gnutls.checked(lib.gnutls_init(byref(self._session), role | gnutls.NONBLOCK | gnutls.NO_TICKETS), "a session")
        number = next(_NUMBERS)
        _ENGINES[number] = self
        self._end = weakref.finalize(self, _deinit, lib.gnutls_deinit, self._session, self._credentials)
        lib.gnutls_priority_set(self._session, self._credentials.priority)
        lib.gnutls_credentials_set(self._session, gnutls.CRD_CERTIFICATE, self._credentials.pointer)
        lib.gnutls_session_set_ptr(self._session, number)
        lib.gnutls_transport_set_ptr(self._session, number)
        lib.gnutls_transport_set_push_function(self._session, _PUSH)
        lib.gnutls_transport_set_pull_function(self._session, _PULL)
        lib.gnutls_transport_set_pull_timeout_function(self._session, _PULL_TIMEOUT)
        lib.gnutls_handshake_set_timeout(self._session, 0)  # the caller has the clock
        lib.gnutls_handshake_set_max_packet_length(self._session, MOST_HANDSHAKE_OCTETS)
        if self.plan.ask_client:
            lib.gnutls_certificate_server_set_request(self._session, gnutls.CERT_REQUEST)
        if self.plan.names_roots:
            self._name_roots()
        if self.plan.server_name:
            name = self.plan.server_name.encode()
            gnutls.checked(lib.gnutls_server_name_set(self._session, gnutls.NAME_DNS, name, len(name)), f"the name {self.plan.host}")
        if self._key_log is not None:
            lib.gnutls_session_set_keylog_function(self._session, _KEY_LOG)

    def _name_roots(self) -> None:
        """Extensions that GnuTLS does not know: trusted_ca_keys in 1.2, which a server answers; certificate_authorities in a 1.3 hello."""
        lib, where = self._lib, gnutls.EXT_CLIENT_HELLO | gnutls.EXT_FLAG_TLS
        none = (None, None, None)
        if TLS_1_2 in self.plan.versions:
            kind = (b"trusted_ca_keys", TRUSTED_CA_KEYS, gnutls.EXT_TLS, _EXT_RECEIVE, _SEND_KEYS)
            lib.gnutls_session_ext_register(self._session, *kind, *none, where | gnutls.EXT_TLS12_SERVER_HELLO)
        if TLS_1_3 in self.plan.versions and self.plan.role == "client":
            kind = (b"certificate_authorities", CERTIFICATE_AUTHORITIES, gnutls.EXT_TLS, _EXT_RECEIVE, _SEND_NAMES)
            lib.gnutls_session_ext_register(self._session, *kind, *none, where)

    @property
    def version(self) -> str:
        """`1.2` or `1.3`; "" before the handshake is done."""
        return self._agreed if self.handshake_done else ""

    @property
    def _agreed(self) -> str:
        return gnutls.VERSIONS.get(self._lib.gnutls_protocol_get_version(self._session), "")

    @property
    def verified(self) -> bool:
        """The other side has a certificate that is right, and has shown by the end of the handshake that it has the key, too."""
        return self._judged_right and self.handshake_done

    @property
    def refusal(self) -> Refusal | None:
        """Why the other side's certificate is not right."""
        return self._refusal

    @property
    def description(self) -> str:
        """What was agreed on, in GnuTLS's words."""
        pointer = self._lib.gnutls_session_get_desc(self._session) if self.handshake_done else None
        if not pointer:
            return ""
        words = ctypes.string_at(pointer).decode()
        _free(pointer)
        return words

    @property
    def staples(self) -> tuple[bytes, ...]:
        """OCSP responses (DER) that came with the other side's chain, in its order, up to the first certificate without one."""
        return self._stapled() if self.handshake_done else ()

    def _stapled(self) -> tuple[bytes, ...]:
        found: list[bytes] = []
        response = Datum()
        while len(found) < len(self.peer_chain):
            if self._lib.gnutls_ocsp_status_request_get2(self._session, len(found), byref(response)) < 0:
                break
            found.append(response.octets)
        return tuple(found)

    def feed(self, octets: bytes) -> None:
        """Octets that came. Raises TlsFailed for too many of them in a handshake."""
        self._input += octets
        if not self.handshake_done:
            self._handed += len(octets)
            self._tail = (self._tail + octets[-PLAIN_ALERT:])[-PLAIN_ALERT:]
            if self._handed > MOST_HANDSHAKE_OCTETS:
                raise self._failed(f"more than {MOST_HANDSHAKE_OCTETS} octets of handshake", HANDSHAKE_FAILURE)

    def feed_eof(self) -> None:
        """The other side will send no more; without its close-notify, `step` and `read` say so by TlsFailed."""
        self._eof = True

    def step(self) -> bool:
        """As far as the handshake goes with what there is; True once it is done. Raises TlsFailed."""
        self._living()
        while not self.handshake_done:
            code = self._lib.gnutls_handshake(self._session)
            self._mind()
            if code == 0:
                self.handshake_done = True
                self._see_peer()
                if not self._kept:
                    self._credentials.forget_keys()
            elif code == gnutls.E_AGAIN:
                break
            elif self._lib.gnutls_error_is_fatal(code) or code == gnutls.E_GOT_APPLICATION_DATA:
                raise self._failure(code)
        return self.handshake_done

    def read(self) -> bytes:
        """All that can be read now; b"" is nothing yet, or, with `ended`, the end. Raises TlsFailed."""
        self._living()
        if not self.handshake_done or self.ended:
            return b""
        got = b""
        while True:
            before = len(self._input)
            code = self._lib.gnutls_record_recv(self._session, _RECORD, MOST_RECORD)
            self._mind()
            if code > 0:
                got += ctypes.string_at(_RECORD, code)
                if not self._input and not self._eof and not self._lib.gnutls_record_check_pending(self._session):
                    return got
            elif code == 0:
                self.ended = True
                return got
            elif code in {gnutls.E_AGAIN, gnutls.E_INTERRUPTED, gnutls.E_WARNING_ALERT_RECEIVED}:
                # A record that is no data (a ticket, a key update) also says "again".
                if not self._input or len(self._input) == before:
                    return got
            elif code == gnutls.E_REHANDSHAKE:
                raise self._failed("it wants to negotiate anew", NO_RENEGOTIATION)
            else:
                raise self._failure(code)

    def write(self, octets: bytes) -> None:
        """Encrypts; `take` has the records. Raises TlsFailed."""
        self._living()
        if self._closed:
            raise TlsFailed("we have said that we send no more")
        if not self.handshake_done:
            raise self._failed("nothing can be sent before the handshake is done", INTERNAL_ERROR)
        for at in range(0, len(octets), MOST_RECORD):
            part = octets[at : at + MOST_RECORD]
            code = self._lib.gnutls_record_send(self._session, part, len(part))
            self._mind()
            if code != len(part):
                raise self._failure(code)

    def take(self) -> bytes:
        """What is to be sent."""
        taken = bytes(self._output)
        self._output.clear()
        return taken

    def close(self) -> None:
        """Says that we send no more (close-notify), where there is somebody to say it to; reading goes on."""
        if self.handshake_done and not (self._over or self._closed):
            self._closed = True
            self._lib.gnutls_bye(self._session, gnutls.SHUT_WR)

    def free(self) -> None:
        """Gives GnuTLS's memory back, with the keys in it; the engine is no more."""
        self._over = True
        self.handshake_done = False
        self._end()

    def _living(self) -> None:
        if self._over:
            raise TlsFailed("the connection is over")

    def _mind(self) -> None:
        """An exception in a callback is ours, and not lost."""
        if self._bug is not None:
            bug, self._bug = self._bug, None
            self._over = True
            raise bug

    def _failed(self, words: str, alert: int, sentence: str = "") -> TlsFailed:
        """Sends the alert."""
        if not self._over:
            self._over = True
            self._lib.gnutls_alert_send(self._session, gnutls.ALERT_FATAL, alert)
        return TlsFailed(words, alert, sentence=sentence)

    def _failure(self, code: int) -> TlsFailed:
        if code == gnutls.E_FATAL_ALERT_RECEIVED:
            self._over = True
            received = self._lib.gnutls_alert_get(self._session)
            return TlsFailed(f"the other side ended it with alert {alert_words(received)}", received=received)
        if code == gnutls.E_DECRYPTION_FAILED and self._tail[:-1] == b"\x15\x03\x03\0\2\2":
            self._over = True  # OpenSSL refuses a 1.3 server like this: it has the keys by then, and does not use them yet
            return TlsFailed(f"the other side ended it with alert {alert_words(self._tail[-1])}", received=self._tail[-1])
        if code == gnutls.E_PREMATURE_TERMINATION:
            self._over = True
            return TlsFailed("the connection broke off")
        if self._refusal is not None:
            return self._failed(self._refusal.words, self._refusal.alert, self._refusal.sentence)
        if code == gnutls.E_KEY_USAGE_VIOLATION:  # noticed before we are asked
            self._see_peer()
            found = refusal(self.peer_chain, self.plan, self._agreed)
            self._refusal = found = found or Refusal(UNSUPPORTED, "the certificate is not for signatures (key usage)")
            return self._failed(found.words, found.alert, found.sentence)
        what = "the certificate, or the signature made with it, cannot be read: " if code in gnutls.E_ASN1 else ""
        level = c_int()
        return self._failed(what + words_of(code), self._lib.gnutls_error_to_alert(code, byref(level)))

    def _see_peer(self) -> None:
        """The chain as it was sent, leaf first."""
        count = c_uint()
        peers = self._lib.gnutls_certificate_get_peers(self._session, byref(count))
        self.peer_chain = tuple(peers[at].octets for at in range(count.value))

    # ------------------------------------------------------------------------------------------ called by GnuTLS

    def _push(self, pointer: int, size: int) -> int:
        self._output += ctypes.string_at(pointer, size)
        return size

    def _pull(self, pointer: int, size: int) -> int:
        count = min(size, len(self._input))
        if not count:
            if self._eof:
                return 0
            self._lib.gnutls_transport_set_errno(self._session, gnutls.EAGAIN)
            return -1
        ctypes.memmove(pointer, bytes(self._input[:count]), count)
        del self._input[:count]
        return count

    def _verify(self) -> int:
        self._see_peer()
        if self.plan.role == "server" and not self.peer_chain:
            return 0  # a car with nothing to show: who is asked for `verified` hears no
        self.verdict = judged(self.peer_chain, self.plan, self._agreed, self._stapled())
        self._refusal = refused(self.verdict, self.plan) or self._second()
        self._judged_right = self._refusal is None
        return 0 if self._judged_right else gnutls.E_CERTIFICATE_ERROR

    def _second(self) -> Refusal | None:
        status = c_uint()
        code = self._lib.gnutls_certificate_verify_peers2(self._session, byref(status))
        if code < 0:
            return Refusal(BAD, f"the certificate cannot be judged: {words_of(code)}")
        return second(status.value, self.plan)

    def _send_keys(self, buffer: int) -> int:
        if self.plan.role == "server":
            return gnutls.EMPTY_EXTENSION
        return self._append(buffer, trusted_ca_keys(tuple(each.sha1 for each in self.plan.roots)))

    def _send_names(self, buffer: int) -> int:
        return self._append(buffer, certificate_authorities(tuple(each.name for each in self.plan.roots)))

    def _append(self, buffer: int, octets: bytes) -> int:
        code = int(self._lib.gnutls_buffer_append_data(buffer, octets, len(octets)))
        return code if code < 0 else len(octets)

    def _log_key(self, label: bytes, secret: bytes) -> int:
        client, server = Datum(), Datum()
        self._lib.gnutls_session_get_random(self._session, byref(client), byref(server))
        if self._key_log is not None:
            self._key_log(f"{label.decode()} {client.octets.hex()} {secret.hex()}")
        return 0


_RECORD = ctypes.create_string_buffer(MOST_RECORD)
"""What GnuTLS reads into, copied at once: all engines live on one thread."""

# GnuTLS gets a number for `this`, and finds the engine by it: a callback of each engine's own would keep it alive for ever.
_NUMBERS = itertools.count(1)
_ENGINES: weakref.WeakValueDictionary[int, Engine] = weakref.WeakValueDictionary()


def _called(number: int | None, what: str, *arguments: Any) -> int:
    engine = _ENGINES.get(number or 0)
    if engine is None:
        return -1
    try:
        return int(getattr(engine, what)(*arguments))
    except BaseException as error:  # noqa: BLE001 C would swallow it; _mind raises it again
        engine._bug = error  # noqa: SLF001 its own module
        return -1


def _of_session(session: int, what: str, *arguments: Any) -> int:
    return _called(library().gnutls_session_get_ptr(session), what, *arguments)


_PUSH = gnutls.PUSH(lambda number, pointer, size: _called(number, "_push", pointer, size))
_PULL = gnutls.PULL(lambda number, pointer, size: _called(number, "_pull", pointer, size))
_PULL_TIMEOUT = gnutls.PULL_TIMEOUT(lambda number, ms: 1)
_VERIFY = gnutls.VERIFY(lambda session: _of_session(session, "_verify"))
_EXT_RECEIVE = gnutls.EXT_RECEIVE(lambda session, octets, size: 0)
_SEND_KEYS = gnutls.EXT_SEND(lambda session, buffer: _of_session(session, "_send_keys", buffer))
_SEND_NAMES = gnutls.EXT_SEND(lambda session, buffer: _of_session(session, "_send_names", buffer))
_KEY_LOG = gnutls.KEY_LOG(lambda session, label, secret: _of_session(session, "_log_key", label, secret.contents.octets))


@lru_cache(maxsize=16)
def _credentials_of(plan: Plan) -> Credentials:
    """Made once for each plan: reading keys costs as much as a handshake's signature."""
    return Credentials(plan, _VERIFY)


def _deinit(deinit: Callable[[c_void_p], None], session: c_void_p, credentials: Credentials) -> None:
    """The session goes before what it points to. It may go at any time, so it finds nothing out any more."""
    deinit(session)


def _free(pointer: int) -> None:
    """Memory that GnuTLS gave away comes from the C library."""
    libc = ctypes.CDLL(None)
    libc.free.argtypes = [c_void_p]
    libc.free(pointer)
