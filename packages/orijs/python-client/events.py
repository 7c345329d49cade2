"""What a client reports, and what its calls raise."""

from dataclasses import dataclass
from typing import Any, Optional


class Refused(Exception):
    """The server has refused a request, a topic or credentials."""

    def __init__(self, code: str, message: str):
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class Disconnected(Exception):
    """The connection has ended. `is_unhandled`: what was pending was certainly not handled."""

    def __init__(self, code: int, reason: str):
        super().__init__(f"{code} {reason}")
        self.code, self.reason = code, reason
        self.is_unhandled = code == 1012 and "drained" in reason.split("; ")


@dataclass(frozen=True)
class Ready:
    socket_id: str
    expires_in_ms: Optional[float]


@dataclass(frozen=True)
class Lost:
    """`disconnected`: the code and the message of a server that has disconnected the client by its own decision."""

    code: int
    reason: str
    will_reconnect: bool
    disconnected: Optional[dict] = None


@dataclass(frozen=True)
class Message:
    """`name` is None for text and bytes of the application, which have no schema."""

    name: Optional[str]
    data: Any
    topic: Optional[str] = None
    timestamp: Optional[float] = None
    position: Optional[dict] = None


@dataclass(frozen=True)
class Subscribed:
    topic: str


@dataclass(frozen=True)
class Unsubscribed:
    topic: str
    code: str
    message: str


@dataclass(frozen=True)
class Recovered:
    topic: str
    recovered: bool
    count: int


@dataclass(frozen=True)
class Gap:
    """Messages to the topic may be missing; `*` stands for those to this client and to everyone."""

    topic: str
    since: float
    until: float


@dataclass(frozen=True)
class Members:
    """Who is in a watched topic, by key: at first, and after each change. None if only the count is known."""

    topic: str
    members: Optional[dict[str, dict]]
    count: int
    is_stale: bool


@dataclass(frozen=True)
class Unwatched:
    """The client may not see who is in a topic, or no longer."""

    topic: str
    code: str
    message: str


@dataclass(frozen=True)
class Failed:
    """A message that was no request was refused, or new credentials could not be had."""

    type: str
    code: str
    message: str
