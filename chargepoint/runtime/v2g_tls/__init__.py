"""TLS of ISO 15118 over the system's GnuTLS, without I/O: one port for TLS 1.2 (-2, DIN) and for mutual TLS 1.3 (-20)."""

from __future__ import annotations

from chargepoint.runtime.v2g_tls.contract import TlsEngine
from chargepoint.runtime.v2g_tls.engine import Engine
from chargepoint.runtime.v2g_tls.hello import BadHello, Hello, peek
from chargepoint.runtime.v2g_tls.plan import Chains, KeyLog, Plan, TlsFailed, TlsMissing, Version, chains_of, client_plan, select
from chargepoint.runtime.v2g_tls.secured import Secured, station, vehicle
from chargepoint.runtime.v2g_tls.server import Server, open_engine, shortcomings

__all__ = [
    "BadHello",
    "Chains",
    "Engine",
    "Hello",
    "KeyLog",
    "Plan",
    "Secured",
    "Server",
    "TlsEngine",
    "TlsFailed",
    "TlsMissing",
    "Version",
    "chains_of",
    "client_plan",
    "open_engine",
    "peek",
    "select",
    "shortcomings",
    "station",
    "vehicle",
]
