"""From OpenLink to a websocket that stands, or to LinkDown with its cause in one word and in a sentence (F-8, S-29)."""

from __future__ import annotations

import asyncio
import ssl
from typing import TYPE_CHECKING, Any

from chargepoint.commands import OpenLink
from chargepoint.events import LinkCause, LinkDown
from chargepoint.ocpp import dialects
from chargepoint.runtime import tcp
from chargepoint.runtime.tls import Refused, TlsFiles, TlsSetupError, client_context, explain
from iso15118.frozen import dataclass

if TYPE_CHECKING:
    from websockets.asyncio.client import ClientConnection

    from chargepoint.runtime.token_tls import TokenTls

OPEN_TIMEOUT_S = 20.0
"""TCP, TLS and the upgrade together (ours)."""
CLOSE_TIMEOUT_S = 2.0
"""For the closing handshake; then the socket is dropped (ours)."""
MOST_READ_BYTES = 2 << 20
"""A larger frame is not read: the connection is closed with 1009."""
MOST_READ_FRAMES = 4
"""Frames that wait to be taken; then nothing more is read from the socket."""


@dataclass(slots=True)
class Progress:
    """How far an attempt came."""

    connected: bool = False
    shaken: bool = False
    """The TLS handshake is over, as far as our side can see: with TLS 1.3 the server judges our certificate only after it."""
    broken_by: ssl.SSLError | None = None
    """What the other side said in TLS when it hung up."""


async def dial(order: OpenLink, files: TlsFiles, *, threaded: bool) -> ClientConnection | LinkDown:
    """A connection with one of the offered subprotocols; everything else is a LinkDown, and no socket is left."""
    from websockets.exceptions import InvalidHandshake, InvalidStatus, InvalidURI

    progress = Progress()

    def down(cause: LinkCause, detail: str, status: int = 0) -> LinkDown:
        return LinkDown(order.attempt, cause, detail[:300], status)

    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            link = await _connect(order, files, progress, threaded=threaded)
    except TlsSetupError as error:
        return down("tls", str(error))
    except InvalidStatus as refused:
        status = refused.response.status_code
        return down(_refusal(status), f"the CSMS answers the upgrade with {status}", status)
    except InvalidURI as error:
        return down("protocol", str(error))
    except Refused as refused:
        return down("certificate", str(refused))
    except ssl.SSLError as error:
        return down(*explain(error))
    except (InvalidHandshake, EOFError) as error:
        return down(*_no_upgrade(error, order.security_profile, progress))
    except TimeoutError:
        return down("timeout", f"no connection within {OPEN_TIMEOUT_S:g} s")
    except OSError as error:
        return down(*_os_cause(error, in_tls=order.security_profile >= 2 and progress.connected and not progress.shaken))
    chosen = dialects.choose(link.subprotocol or "", order.subprotocols)
    if isinstance(chosen, dialects.Refusal):
        await hang_up(link, 1002, chosen.why)
        return down("protocol", chosen.why)
    return link


async def hang_up(link: ClientConnection, code: int, why: str) -> None:
    """Close in good order, or without it after CLOSE_TIMEOUT_S; nothing is left open. Cancelled, it drops the socket at once."""
    try:
        async with asyncio.timeout(CLOSE_TIMEOUT_S + 1.0):
            await link.close(code, why.encode()[:120].decode(errors="ignore"))
    except Exception:  # noqa: BLE001, S110 it is over either way
        pass
    finally:
        link.transport.abort()


async def _connect(order: OpenLink, files: TlsFiles, progress: Progress, *, threaded: bool) -> ClientConnection:
    from websockets.asyncio.client import ClientConnection, connect
    from websockets.uri import parse_uri

    class Connect(connect):
        """Redirects are not followed: credentials go to the configured host only (F-8)."""

        def process_redirect(self, exc: Exception) -> Exception | str:
            return exc

    class Connection(ClientConnection):
        """Says how far it came, by which root (fingerprint), and whether a wildcard alone names the CSMS."""

        root, wildcard = "", False

        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            progress.shaken = True
            super().connection_made(transport)

        async def handshake(self, *arguments: Any, **named: Any) -> None:
            if uri.secure:
                from chargepoint.runtime.csms_chain import judged

                why, self.root, self.wildcard = judged(
                    self.transport.get_extra_info("ssl_object"), files, uri.host, wildcards=order.wildcards
                )
                if why:
                    raise Refused(why)
            await super().handshake(*arguments, **named)

        def connection_lost(self, exc: Exception | None) -> None:
            progress.broken_by = exc if isinstance(exc, ssl.SSLError) else None
            super().connection_lost(exc)

    uri = parse_uri(order.url)
    more: dict[str, Any] = {}
    token: TokenTls | None = None
    if uri.secure and order.security_profile == 3 and files.in_token:
        from chargepoint.runtime.token_tls import TokenTls

        token = TokenTls(files, uri.host)
    elif uri.secure:
        more["ssl"] = client_context(files, order.security_profile)
    headers = {"Authorization": _basic(order.identity, order.password)} if order.security_profile in (1, 2) else {}
    sock = await tcp.connect(uri.host, uri.port, threaded=threaded)
    progress.connected = True
    try:
        if token is not None:
            more["ssl"] = await token.shake(sock, threaded=threaded)
        return await Connect(
            order.url,
            create_connection=Connection,
            subprotocols=[*order.subprotocols],  # type: ignore[list-item] # Subprotocol is a NewType of str, in a module that is imported late
            additional_headers=headers,
            user_agent_header="chargepoint",
            compression=None,
            sock=sock,
            open_timeout=None,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=None,
            max_size=MOST_READ_BYTES,
            max_queue=MOST_READ_FRAMES,
            logger=_quiet(),
            **more,
        )
    except BaseException:
        sock.close()
        raise


def _quiet() -> Any:
    """The library's log would hold headers and frames; ours says what matters."""
    import logging

    logger = logging.getLogger("chargepoint.websockets")
    logger.disabled = True
    return logger


def _basic(identity: str, password: str) -> str:
    import base64

    return "Basic " + base64.b64encode(f"{identity}:{password}".encode()).decode()


def _refusal(status: int) -> LinkCause:
    words: dict[int, LinkCause] = {401: "unauthorized", 403: "forbidden", 404: "not_found"}
    return words.get(status) or ("redirect" if 300 <= status < 400 else "http")


def _no_upgrade(error: BaseException, security_profile: int, progress: Progress) -> tuple[LinkCause, str]:
    """No answer to the upgrade. With TLS 1.3 this is where a refused client certificate shows."""
    if progress.broken_by is not None:
        return explain(progress.broken_by)
    if security_profile == 3 and isinstance(error.__cause__, EOFError):
        return "tls", "the CSMS broke off right after the TLS handshake; does it refuse our client certificate?"
    return "protocol", f"no answer to the upgrade that can be read: {error}"


def _os_cause(error: OSError, *, in_tls: bool) -> tuple[LinkCause, str]:
    words = error.strerror or str(error) or type(error).__name__
    if isinstance(error, tcp.NameNotFound):
        return "dns", words
    if in_tls:
        return "tls", "the CSMS broke off the TLS handshake (is it a ws:// port?)"
    if isinstance(error, ConnectionRefusedError):
        return "refused", words
    return ("closed" if isinstance(error, ConnectionError) else "unreachable"), words
