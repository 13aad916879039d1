"""The CSMS's chain after OpenSSL has found it right, and before the first octet of HTTP: what Python's `ssl` leaves out (keys and their use, lengths, names, what
was revoked), by the same profile as everywhere.
"""

from __future__ import annotations

import datetime as dt
import ssl
from typing import Any

from cryptography import x509

from certs.chain import validate
from certs.profiles import PROFILES
from chargepoint.runtime.tls import TlsFiles

DER = 2
"""_ssl.ENCODING_DER"""


def judged(tls: ssl.SSLObject, files: TlsFiles, host: str) -> str:
    """Why the chain is refused, as it was sent; "" for one that is right. `host` is what was dialled.

    The root is the one that OpenSSL has come to, which is one of those that count for this connection.
    """
    now = dt.datetime.now(dt.UTC)
    root = [x509.load_der_x509_certificate(each) for each in _chain(tls, "get_verified_chain")[-1:]]
    sent = _chain(tls, "get_unverified_chain")
    verdict = validate(sent, now, PROFILES["csms"], root, files.revocation, policy=files.policy, host=host)
    return "" if verdict.ok else verdict.why


def _chain(tls: ssl.SSLObject, name: str) -> list[bytes]:
    """DER; Python says it from 3.13 on, and knows it before."""
    public: Any = getattr(tls, name, None)
    if public is not None:
        return [bytes(each) for each in public()]
    below: Any = getattr(tls, "_sslobj")  # noqa: B009 it has no other face
    return [each.public_bytes(DER) for each in getattr(below, name)() or ()]
