"""The URL that is dialled: where hubs want the identity, and never twice."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chargepoint.ocpp.csms_url import UrlError, check_url, dial_url, is_secure

IDENTITIES = st.text("abcXYZ0189*-_=:+|@. /?#%&ä", min_size=1, max_size=48)


@pytest.mark.parametrize(
    ("url", "identity", "dialled"),
    [
        ("wss://evtivity.example", "CP1", "wss://evtivity.example/CP1"),  # /<id>
        ("ws://citrine.example:8092/", "CP1", "ws://citrine.example:8092/CP1"),
        ("wss://arthexis.example/ws/ocpp/{identity}/", "CP1", "wss://arthexis.example/ws/ocpp/CP1/"),
        ("wss://maeve.example/ws", "CP1", "wss://maeve.example/ws/CP1"),
        ("wss://hub.example/ocpp/CP1", "CP1", "wss://hub.example/ocpp/CP1"),
        ("wss://hub.example/ocpp/CP1/", "CP1", "wss://hub.example/ocpp/CP1/"),
        ("wss://hub.example/CP1/ocpp", "CP1", "wss://hub.example/CP1/ocpp/CP1"),
        ("wss://hub.example//a//b//", "CP1", "wss://hub.example/a/b/CP1"),
        ("wss://hub.example/x?key=a%20b", "CP1", "wss://hub.example/x/CP1?key=a%20b"),
        ("wss://hub.example/{identity}?cp={identity}", "C/1", "wss://hub.example/C%2F1?cp=C%2F1"),
        ("wss://hub.example/", "DE*ABC*E 1|x", "wss://hub.example/DE%2AABC%2AE%201%7Cx"),
        ("ws://[::1]:9000/ocpp", "CP1", "ws://[::1]:9000/ocpp/CP1"),
        ("wss://hub.example/cp1", "CP1", "wss://hub.example/cp1/CP1"),
    ],
)
def test_where_hubs_want_the_identity(url: str, identity: str, dialled: str) -> None:
    assert dial_url(url, identity) == dialled


@given(
    identity=IDENTITIES,
    url=st.sampled_from(["ws://h", "wss://h/", "ws://h:1/a/b", "ws://h/{identity}", "ws://h/{identity}/?x={identity}", "ws://h/a?b=c"]),
)
def test_the_identity_stands_in_it_once_and_can_be_read_again(identity: str, url: str) -> None:
    dialled = dial_url(url, identity)
    assert check_url(dialled) == dialled
    assert dial_url(dialled, identity) == dialled
    segments = [unquote(part) for part in urlsplit(dialled).path.split("/") if part]
    assert segments[-1] == identity
    assert urlsplit(dialled).netloc == urlsplit(url).netloc


@pytest.mark.parametrize(
    "url",
    ["", "hub.example", "//hub.example/", "http://hub.example/", "wss:hub", "wss://", "wss:///x", "ws://:80/", "wss://hub:0/", "wss://hub:99999/", "wss://hub:x/",
     "wss://[::1/", "wss://user@hub/", "wss://user:secret@hub/", "wss://hub/#x", "wss://hub/a b", "wss://hub/\n", " wss://hub/"],
)  # fmt: skip
def test_what_is_no_url_of_a_csms(url: str) -> None:
    with pytest.raises(UrlError) as refused:
        dial_url(url, "CP1")
    assert "secret" not in str(refused.value)


@given(st.text(max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    for url in (text, f"wss://{text}", f"ws://hub/{text}"):
        try:
            is_secure(check_url(url))
        except UrlError:
            continue
