"""Who is in a topic: the section "Presence" of PROTOCOL.md."""

import asyncio
import random
from dataclasses import dataclass, field
from typing import Any, Optional

from events import Members, Unwatched

UNDECIDED = {"unavailable", "timeout", "internal", "rate_limited", "too_many_requests", "stopping"}


@dataclass
class Presence:
    """What a client knows of a topic's members."""

    topic: str
    members: Optional[dict[str, dict]] = None  # by key; None if only the count is known
    count: Optional[int] = None
    is_stale: bool = True
    version: Optional[dict] = None  # None until the answer to the first `@watch`
    own: Optional[dict] = None  # what the client says of itself
    is_own_due: bool = False  # the server has forgotten it
    is_pending: bool = False  # `@watch` is on its way
    is_waiting: bool = False  # until the client is in the topic
    has_moved: bool = False  # it has come or gone while `@watch` was on its way
    _pages: Optional[dict[str, dict]] = field(default=None, repr=False)  # until the last page

    @property
    def event(self) -> Members:
        return Members(self.topic, None if self.members is None else dict(self.members), self.count, self.is_stale)

    def restart(self) -> None:
        self.version = self._pages = None

    def on_page(self, page: dict, after: Optional[str]) -> Optional[str]:
        """Returns the key after which to ask for the next page, "" to begin again, or None after the last one."""
        mine, version = self.version, page["version"]
        if after:
            if mine is None or self._pages is None or "members" not in page:
                return ""
            if version["epoch"] != mine["epoch"] or version["n"] < mine["n"]:
                return ""
        else:
            self.version, self._pages = version, {} if "members" in page else None
        for member in page.get("members", ()):
            self._pages[member["key"]] = member
        if page.get("hasMore"):
            return page["members"][-1]["key"]
        self.members, self._pages = self._pages, None
        self.count, self.is_stale = page["count"], page.get("isStale", False)
        return None

    def on_change(self, change: dict) -> bool:
        """Returns whether there is something to tell; or to ask, if `version` is None then."""
        mine, version, previous = self.version, change["version"], change["previous"]
        if mine is None or version["epoch"] == mine["epoch"] and version["n"] < mine["n"]:
            return False
        known = self.members if self._pages is None else self._pages
        only_count = change.get("isCountOnly", False)
        follows = previous["epoch"] == mine["epoch"] and previous["n"] <= mine["n"]
        if not follows or not only_count and known is None or only_count and self._pages is not None:
            self.restart()
            return True
        self.version = version
        if only_count:
            self.members = None
        else:
            for key in change.get("left", ()):
                known.pop(key, None)
            for member in [*change.get("joined", ()), *change.get("updated", ())]:
                known[member["key"]] = member
        if self._pages is not None:
            return False
        self.count, self.is_stale = change["count"], change.get("isStale", False)
        return True


class Presences:
    """The topics that a client watches."""

    def __init__(self, client: Any):
        self._client = client
        self._topics: dict[str, Presence] = {}

    def watch(self, name: str) -> None:
        """The members follow as events, also after each reconnect; at first once the client is in the topic."""
        presence = self._topics[name] = Presence(name)
        self._ask(presence)

    async def unwatch(self, name: str) -> None:
        self._topics.pop(name, None)
        await self._client.request("@unwatch", {"topic": name})

    async def update(self, name: str, info: dict) -> None:
        """Adds to what the client says of itself in a watched topic. It is said again after each reconnect."""
        presence = self._topics[name]
        own = {**(presence.own or {}), **info}
        await self._client.request("@update", {"topic": name, "info": own})
        presence.own = own

    def ready(self) -> None:
        for presence in self._topics.values():
            self._ask(presence)

    def lost(self) -> None:
        for presence in self._topics.values():
            presence.restart()
            presence.is_pending, presence.is_own_due, presence.is_stale = False, True, True

    def moved(self, name: str, is_in: bool) -> None:
        """The client has come into a topic, or may have left it."""
        presence = self._topics.get(name)
        if presence is None:
            return
        presence.is_own_due = presence.is_own_due or not is_in
        if presence.is_pending:
            presence.has_moved = True
        elif presence.is_waiting or not is_in:
            self._ask(presence)

    def on_presence(self, change: dict) -> None:
        presence = self._topics.get(change["topic"])
        if presence is None or not presence.on_change(change):
            return
        if presence.version is not None:
            self._client._emit(presence.event)
        elif not presence.is_pending:
            self._ask(presence)

    def on_unwatched(self, fault: dict) -> None:
        if self._topics.pop(fault["topic"], None):
            self._client._emit(Unwatched(fault["topic"], fault["code"], fault["message"]))

    def _ask(self, presence: Presence, after: Optional[str] = None) -> None:
        presence.is_pending, presence.is_waiting = True, False
        data = {"topic": presence.topic}
        if after:
            data["after"] = after
        else:
            presence.restart()
            presence.has_moved = False
        self._client._request("@watch", data, lambda frame: self._on_answer(presence, after, frame))

    def _on_answer(self, presence: Presence, after: Optional[str], frame: dict) -> None:
        if self._topics.get(presence.topic) is not presence:
            return
        presence.is_pending = False
        if "error" in frame:
            return self._on_refusal(presence, frame["error"])
        following = presence.on_page(frame["data"], after)
        if following is not None:
            return self._ask(presence, following)
        self._client._emit(presence.event)
        if presence.own and presence.is_own_due:
            presence.is_own_due = False
            self._client._request("@update", {"topic": presence.topic, "info": presence.own})

    def _on_refusal(self, presence: Presence, error: dict) -> None:
        code = error["code"]
        if code == "not_watched" or code == "not_subscribed" and presence.has_moved:
            self._ask(presence)
        elif code == "not_subscribed":
            presence.is_waiting = presence.is_stale = True
        elif code in UNDECIDED:
            presence.is_pending = True
            self._client._start(self._ask_later(presence))
        else:
            self.on_unwatched({"topic": presence.topic, **error})

    async def _ask_later(self, presence: Presence) -> None:
        await asyncio.sleep(random.uniform(0.5, 1))
        self._ask(presence)
