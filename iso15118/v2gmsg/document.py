"""A V2G_Message around a body: how a dialect makes one."""

from __future__ import annotations

from typing import Any, Protocol

from iso15118.messages.declare import Message


class Document(Protocol):
    """With a session id, and a signature for the header where something in the body is signed."""

    def __call__(self, session_id: bytes, body: Message, signature: Any = None, /) -> Message: ...
