"""The URL to dial: hubs put the station's identity in different places, and some give it with the identity already in it."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlsplit

IDENTITY = "{identity}"


class UrlError(ValueError):
    """No URL of a CSMS; the message says what is wrong with it."""


def dial_url(url: str, identity: str) -> str:
    """`url` with the identity in it: at `{identity}`, else as the last path segment, where it is not there already.

    A trailing slash stays behind the identity when the URL says `{identity}/`; without a placeholder it only parts the segments.
    Raises UrlError.

    >>> dial_url("wss://hub.example/ocpp", "CP 1")
    'wss://hub.example/ocpp/CP%201'
    >>> dial_url("wss://hub.example/ocpp/", "CP1"), dial_url("wss://hub.example/ocpp/CP1", "CP1"), dial_url("ws://hub.example", "CP1")
    ('wss://hub.example/ocpp/CP1', 'wss://hub.example/ocpp/CP1', 'ws://hub.example/CP1')
    >>> dial_url("wss://hub.example/ws/ocpp/{identity}/", "CP1"), dial_url("wss://hub.example/ws?id={identity}", "CP1")
    ('wss://hub.example/ws/ocpp/CP1/', 'wss://hub.example/ws?id=CP1')
    >>> dial_url("wss://hub.example/CP%201/?tenant=7", "CP 1"), dial_url("wss://hub.example/x?tenant=7", "CP1")
    ('wss://hub.example/CP%201/?tenant=7', 'wss://hub.example/x/CP1?tenant=7')
    """
    parts = urlsplit(check_url(url))
    quoted = quote(identity, safe="")
    if IDENTITY in url:
        return url.replace(IDENTITY, quoted)
    segments = [segment for segment in parts.path.split("/") if segment]
    if segments and unquote(segments[-1]) == identity:
        return url
    return parts._replace(path="/" + "/".join([*segments, quoted])).geturl()


def check_url(url: str) -> str:
    """The URL, when it can be one of a CSMS. Raises UrlError.

    >>> check_url("https://hub.example/x")
    Traceback (most recent call last):
    ...
    chargepoint.ocpp.csms_url.UrlError: 'https://hub.example/x' does not begin with ws:// or wss://
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlError(f"{url!r}: {error}") from None
    if parts.scheme not in ("ws", "wss"):
        raise UrlError(f"{url!r} does not begin with ws:// or wss://")
    if not parts.hostname:
        raise UrlError(f"{url!r} names no host")
    if port == 0:
        raise UrlError(f"{url!r}: port 0")
    if parts.username or parts.password:
        raise UrlError("the URL holds credentials; the password has a place of its own")
    if parts.fragment or any(char.isspace() for char in url):
        raise UrlError(f"{url!r} holds a fragment or white space")
    return url


def is_secure(url: str) -> bool:
    """Whether it is wss."""
    return urlsplit(url).scheme == "wss"
