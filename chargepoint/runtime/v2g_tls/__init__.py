"""TLS of ISO 15118 over the system's GnuTLS, without I/O: one port for TLS 1.2 (-2, DIN) and for mutual TLS 1.3 (-20)."""

from __future__ import annotations

from chargepoint.runtime.v2g_tls.engine import Engine, Server, TlsEngine
from chargepoint.runtime.v2g_tls.hello import BadHello, Hello, peek
from chargepoint.runtime.v2g_tls.plan import Chains, KeyLog, Plan, TlsFailed, TlsMissing, chains_of, client_plan, select

__all__ = [
    "BadHello",
    "Chains",
    "Engine",
    "Hello",
    "KeyLog",
    "Plan",
    "Server",
    "TlsEngine",
    "TlsFailed",
    "TlsMissing",
    "chains_of",
    "client_plan",
    "peek",
    "select",
]
