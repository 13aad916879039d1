"""What a hostile vehicle of an older protocol says at random can be said: the least of every message goes over the wire."""

from __future__ import annotations

from importlib import import_module
from types import ModuleType
from typing import Any

import pytest

from bench.v2g.wrong_older import least
from iso15118 import exi
from iso15118.messages.declare import Message
from iso15118.messages.din import msg_body as din
from iso15118.messages.iso2 import msg_body as iso2
from iso15118.minimal import minimal

BODIES = [
    pytest.param(module, kind, id=f"{module.__name__.split('.')[-2]}-{name}")
    for module in (din, iso2)
    for name, kind in vars(module).items()
    if isinstance(kind, type) and issubclass(kind, Message) and name.endswith(("Req", "Res"))
]


@pytest.mark.parametrize(("module", "kind"), BODIES)
def test_the_least_of_a_message_goes_over_the_wire(module: ModuleType, kind: type[Message]) -> None:
    package = import_module(module.__name__.replace("msg_body", "msg_def"))
    made: Any = minimal(package.V2G_Message)
    made.Header.SessionID, made.Body.BodyElement = bytes(8), least(kind)
    namespace = "urn:din:70121:2012:MsgDef" if module is din else "urn:iso:15118:2:2013:MsgDef"
    assert exi.decode(exi.encode(made, namespace), namespace) == made
