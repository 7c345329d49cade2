"""Where messages may be missing: the section "Gaps" of PROTOCOL.md."""

import time
from dataclasses import dataclass

from events import Gap

ON_THEIR_WAY_MS = 3000


@dataclass(frozen=True)
class Bound:
    """An answer that bounds gaps, and when it came by a clock that can't be set."""

    timestamp: float
    lag: float
    behind: float
    ahead: float
    at: float

    @staticmethod
    def of(data: dict) -> "Bound":
        durations = (data.get(name, 0) for name in ("lagMs", "behindMs", "aheadMs"))
        return Bound(data["timestamp"], *durations, time.monotonic() * 1000)

    def gap_until(self, end: "Bound", topic: str) -> Gap:
        between = end.at - self.at
        since = min(self.timestamp, end.timestamp - between) - self.lag - ON_THEIR_WAY_MS
        until = max(end.timestamp, self.timestamp + between)
        return Gap(topic, since - max(self.behind, end.behind), until + max(self.ahead, end.ahead))
