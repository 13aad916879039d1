"""What goes wrong, in one shape."""

from __future__ import annotations


class ExiError(ValueError):
    """Octets that are no message of this schema set, or a message that its declaration does not allow.

    `path` is where in the message ("V2G_Message/Body/CurrentDemandReq"), `bit` the offset in the octets (None when encoding), `expected` what could
    have stood there.
    """

    def __init__(self, problem: str, path: str = "", bit: int | None = None, expected: str = "") -> None:
        self.problem, self.path, self.bit, self.expected = problem, path, bit, expected
        super().__init__(problem, path, bit, expected)

    def __str__(self) -> str:
        where = ", ".join(each for each in (self.path, "" if self.bit is None else f"bit {self.bit}") if each)
        words = (f"{where}: " if where else "") + self.problem + (f"; expected {self.expected}" if self.expected else "")
        return printable(words)  # names of a stream may stand in it, and it goes to terminals and logs


class Ended(ExiError):
    """The octets end in what is being read. Whoever knows what that is says it: callers see an ExiError."""


def printable(text: str) -> str:
    """Without what would move a terminal's cursor."""
    return text if text.isprintable() else "".join(each if each.isprintable() else ascii(each)[1:-1] for each in text)
