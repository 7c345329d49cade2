"""A client in Python of the protocol in packages/websocket/PROTOCOL.md, for tests.

client = Client("ws://localhost:3000/ws", token)    # a value, or a function that gets it, perhaps async
await client.connect()                              # ready
await client.subscribe("news")
while True: print(await client.events.get())        # messages and all else that happens, in order
"""

import asyncio
import contextlib
import inspect
import itertools
import json
import random
import re
import time
from dataclasses import dataclass
from typing import Any, Awaitable, Callable, Optional

import websockets

from events import Disconnected, Failed, Gap, Lost, Message, Ready, Recovered, Refused, Subscribed, Unsubscribed
from gaps import Bound
from presence import Presences
from values import decode, encode

SUBPROTOCOL = "orijs.1"
NOTHING = object()  # in place of `data`: the frame has none, or the data is `undefined`
BLANK = "".join(map(chr, range(0x21))) + "\ufeff"
BINARY_FRAME = b"\x00orijs\x00\x01"
READY_WITHIN = 15.0
TOPICS_PER_REQUEST = 100
UNDECIDED = {"too_many_requests", "rate_limited", "stopping"}  # what was, still is
TRANSIENT = {"unavailable", "timeout", "internal"}  # of a topic that the client was in
GIVE_UP = {1002, 1003, 1007, 4401, 4403}


@dataclass
class Topic:
    is_in: bool = False
    is_wanted: bool = False  # by the application
    by_server: bool = False  # on this connection; after a loss, on the one before, until the new one is ready
    position: Optional[dict] = None  # only with history
    missed_from: Optional[Bound] = None  # until the topic is whole again after a reconnect
    subscribing: int = 0  # requests that are not answered yet
    unsubscribing: int = 0
    is_recovering: bool = False  # from `since` sent until `@position` has said whether it was possible
    removal: Optional[dict] = None  # an @unsubscribed that a pending request decides about


class Client:
    def __init__(
        self,
        url: str,
        token: Any = NOTHING,  # the credentials, or a function that gets them, perhaps async
        *,
        ping_s: float = 20,  # how often to ping
        pong_s: float = 10,  # how long to wait for any frame after that
        retry_s: float = 0.5,  # the longest delay of the first reconnect without a hint
        renew: tuple[float, float] = (0.5, 0.9),  # which part of the credentials' time passes before their renewal
    ):
        self.events: asyncio.Queue = asyncio.Queue()
        self.requests: dict[str, Callable[[Any], Awaitable[Any]]] = {}  # how to answer the server's, by name
        self.topics: dict[str, Topic] = {}
        self.presences = Presences(self)
        self._url, self._token = url, token
        self._ping_s, self._pong_s, self._retry_s = ping_s, pong_s, retry_s
        self._renew = renew
        self._everyone = Topic()
        self._ids = map(str, itertools.count(1))
        self._pending: dict[str, tuple[asyncio.Future, Callable[[dict], None]]] = {}
        self._outbox: asyncio.Queue = asyncio.Queue()
        self._bound: Optional[Bound] = None
        self._disconnected: Optional[dict] = None  # what the server says before it closes the connection
        self.is_ready = False
        self._socket: Any = None
        self._run_task: Optional[asyncio.Task] = None
        self._renewal: Optional[asyncio.Task] = None
        self._tasks: set[asyncio.Task] = set()

    # What the application calls

    async def connect(self) -> None:
        """Returns once the client is ready; raises Disconnected if there is no point in trying again."""
        first = asyncio.get_running_loop().create_future()
        self._run_task = asyncio.create_task(self._run(first))
        await first

    async def close(self) -> None:
        if self._run_task:
            self._run_task.cancel()
            await asyncio.gather(self._run_task, return_exceptions=True)

    def drop(self) -> None:
        """Drops the connection without a close frame, as a network that fails."""
        self._socket.transport.abort()

    def send(self, type: str, data: Any = NOTHING) -> None:
        self._post({"type": type}, data)

    async def request(self, type: str, data: Any = NOTHING, timeout_s: float = 10) -> Any:
        return await asyncio.wait_for(self._request(type, data), timeout_s)

    async def subscribe(self, *names: str, rewind: Optional[int] = None) -> None:
        """Raises Refused; after Disconnected the topics are still wanted, and asked for on the next connection."""
        for name in names:
            self.topics.setdefault(name, Topic()).is_wanted = True
        missing = [name for name in names if not self.topics[name].is_in]
        if missing:
            for refusal in (await self._subscribe(missing, rewind))["refused"]:
                raise Refused(refusal["code"], refusal["message"])

    async def unsubscribe(self, name: str) -> None:
        topic = self.topics.setdefault(name, Topic())
        topic.is_in = topic.is_wanted = topic.by_server = False
        topic.position = topic.missed_from = None
        topic.unsubscribing += 1

        def done(_: dict) -> None:
            topic.unsubscribing -= 1
            self.presences.moved(name, False)
            if not topic.is_in and not topic.is_wanted:
                self.topics.pop(name, None)

        await self._request("@unsubscribe", {"topic": name}, done)

    async def history(self, name: str, **selection: Any) -> dict:
        page = await self.request("@history", {"topic": name, **selection})
        for message in page["messages"]:
            message["data"] = decode(message.get("data"), message.pop("values", ()))
        return page

    async def renew(self) -> None:
        await self._request("@auth", await self._credentials(), self._on_renewed)

    # The connection

    async def _run(self, first: asyncio.Future) -> None:
        attempts, has_expired = 0, False
        while True:
            code, reason, gives_up = await self._connection(first)
            if self.is_ready:
                attempts, has_expired = 0, False
            if code == 4401 and reason == "token_expired" and not has_expired:
                has_expired, gives_up = True, False
            self._on_lost(code, reason, not gives_up)
            if gives_up:
                if not first.done():
                    first.set_exception(Disconnected(code, reason))
                return
            hint = re.search(r"(?:^|; )retry-after-ms=(\d+)$", reason)
            delay = self._retry_s * 2 ** min(attempts, 6) * random.uniform(0.5, 1)
            await asyncio.sleep(int(hint[1]) / 1000 if hint and attempts == 0 else delay)
            attempts += 1

    async def _connection(self, first: asyncio.Future) -> tuple[int, str, bool]:
        """Connects, and handles frames until the connection ends. Returns why, and whether that is for good."""
        offers = ["orijs.none", SUBPROTOCOL]
        try:
            token = await self._credentials()
            socket = await websockets.connect(self._url, subprotocols=offers, ping_interval=None, max_size=None)
        except (OSError, asyncio.TimeoutError, websockets.WebSocketException, Refused) as error:
            return 1006, str(error), False
        if socket.subprotocol != SUBPROTOCOL:
            await socket.close()
            return 1002, f"The server does not speak {SUBPROTOCOL}", True
        self._socket, self._heard, self._outbox = socket, asyncio.Event(), asyncio.Queue()
        ready = self._request("@auth", token, lambda frame: self._on_auth(frame, first))
        tasks = [asyncio.create_task(work) for work in (self._write(socket), self._keep_alive(ready))]
        try:
            async for frame in socket:
                self._heard.set()
                if isinstance(frame, bytes):
                    self._on_binary(frame)
                else:
                    self._on_text(frame)
        except websockets.ConnectionClosed:
            pass
        finally:
            for task in [*tasks, *self._tasks, *([self._renewal] if self._renewal else [])]:
                task.cancel()
            await asyncio.shield(socket.close())
        code = socket.close_code or 1006
        told = self._disconnected
        return code, socket.close_reason or "", code in GIVE_UP or (told is not None and not told["reconnect"])

    async def _write(self, socket: Any) -> None:
        with contextlib.suppress(websockets.ConnectionClosed):
            while True:
                await socket.send(await self._outbox.get())

    async def _keep_alive(self, ready: asyncio.Future) -> None:
        try:
            await asyncio.wait_for(ready, READY_WITHIN)
        except (Refused, asyncio.TimeoutError):
            return self.drop()
        while True:
            await asyncio.sleep(self._ping_s)
            self._heard.clear()
            self._request("@ping", NOTHING, self._on_pong)
            sent_at = time.monotonic()
            try:
                await asyncio.wait_for(self._heard.wait(), self._pong_s)
            except asyncio.TimeoutError:
                if time.monotonic() - sent_at < self._pong_s + 1:  # or else the device has slept: ping again
                    return self.drop()

    def _post(self, head: dict, data: Any = NOTHING) -> None:
        if data is not NOTHING:
            head["data"], values = encode(data)
            if values:
                head["values"] = values
        self._outbox.put_nowait(json.dumps(head, ensure_ascii=False, separators=(",", ":")))

    def _request(self, type: str, data: Any, then: Callable[[dict], None] = lambda _: None) -> asyncio.Future:
        """`then` gets the answer before any later frame is read; the future's result is its `data`."""
        future = asyncio.get_running_loop().create_future()
        future.add_done_callback(lambda done: done.cancelled() or done.exception())  # need not be awaited
        if self._socket is None:
            future.set_exception(Disconnected(1006, "not connected"))
        else:
            id = next(self._ids)
            self._pending[id] = future, then
            self._post({"type": type, "correlationId": id}, data)
        return future

    def _start(self, work: Awaitable[None]) -> asyncio.Task:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _credentials(self) -> Any:
        """Raises Refused if the application can't get any."""
        try:
            token = self._token() if callable(self._token) else self._token
            return await token if inspect.isawaitable(token) else token
        except Exception as error:
            self._emit(Failed("@auth", "token", str(error)))
            raise Refused("token", str(error)) from error

    def _emit(self, event: Any) -> None:
        self.events.put_nowait(event)

    # Frames

    def _on_binary(self, frame: bytes) -> None:
        if not frame.startswith(BINARY_FRAME):
            return self._emit(Message(None, frame))
        start = len(BINARY_FRAME) + 2
        end = start + int.from_bytes(frame[start - 2 : start], "big")
        self._deliver(json.loads(frame[start:end]), None, frame[end:])

    def _on_text(self, text: str) -> None:
        if not text.lstrip(BLANK).startswith("{"):
            return self._emit(Message(None, text))
        frame = json.loads(text)
        data = decode(frame.get("data"), frame.get("values", ()))
        if "name" in frame:
            if "correlationId" in frame:
                self._start(self._reply(frame["name"], frame["correlationId"], data))
            else:
                self._deliver(frame, None if frame["name"] == "@text" else frame["name"], data)
        elif frame.get("correlationId") in self._pending:
            future, then = self._pending.pop(frame["correlationId"])
            then(frame)
            if future.cancelled():
                return
            if "error" in frame:
                future.set_exception(Refused(frame["error"]["code"], frame["error"]["message"]))
            else:
                future.set_result(data)
        elif "error" in frame:
            self._emit(Failed(frame["type"], frame["error"]["code"], frame["error"]["message"]))
        else:
            notices = {
                "@gap": self._on_gap,
                "@position": self._on_position,
                "@subscribed": self._on_subscribed,
                "@unsubscribed": self._on_unsubscribed,
                "@disconnected": self._on_disconnected,
                "@presence": self.presences.on_presence,
                "@unwatched": self.presences.on_unwatched,
            }
            if frame["type"] in notices:
                notices[frame["type"]](data)

    def _deliver(self, head: dict, name: Optional[str], data: Any) -> None:
        topic, position = self.topics.get(head.get("topic")), head.get("position")
        if position is not None and not self._accept(head["topic"], topic, position):
            return
        if topic is None or not topic.unsubscribing:
            self._emit(Message(name, data, head.get("topic"), head["timestamp"], position))

    def _accept(self, name: str, topic: Optional[Topic], position: dict) -> bool:
        if topic is None or topic.position is None:
            return False
        if topic.position == {"epoch": position["epoch"], "offset": position["prev"]}:
            topic.position = {"epoch": position["epoch"], "offset": position["offset"]}
            return True
        if not topic.subscribing:
            self._subscribe([name])
        return False

    async def _reply(self, name: str, id: str, data: Any) -> None:
        head = {"type": "@reply", "correlationId": id}
        try:
            if name not in self.requests:
                raise Refused("unknown_type", f"This client does not handle {name}")
            self._post(head, await self.requests[name](data))
        except Refused as refusal:
            self._post({**head, "error": {"code": refusal.code, "message": refusal.message}})
        except Exception as error:
            self._post({**head, "error": {"code": "internal", "message": str(error)}})

    # Credentials

    def _on_auth(self, frame: dict, first: asyncio.Future) -> None:
        if "error" in frame:
            return
        data = frame["data"]
        self.is_ready, self._bound = True, Bound.of(data)
        self._expire(data)
        if self._everyone.missed_from:
            self._emit(self._everyone.missed_from.gap_until(self._bound, "*"))
        self._everyone = Topic(is_in=True)
        for name, topic in self.topics.items():
            if topic.missed_from and not topic.is_in and not topic.is_wanted:
                self._emit(Unsubscribed(name, "disconnected", "The server has not chosen this topic again"))
        self._emit(Ready(data["socketId"], data.get("expiresInMs")))
        if not first.done():
            first.set_result(None)
        wanted = [name for name, topic in self.topics.items() if topic.is_wanted and not topic.by_server]
        for start in range(0, len(wanted), TOPICS_PER_REQUEST):
            self._subscribe(wanted[start : start + TOPICS_PER_REQUEST])
        self.presences.ready()

    def _on_renewed(self, frame: dict) -> None:
        if "data" in frame:
            self._bound = Bound.of(frame["data"])
            self._expire(frame["data"])

    def _expire(self, answer: dict) -> None:
        if self._renewal:
            self._renewal.cancel()
        expires_in_ms = answer.get("expiresInMs")
        self._renewal = None if expires_in_ms is None else asyncio.create_task(self._renew_within(expires_in_ms / 1000))

    async def _renew_within(self, seconds: float) -> None:
        await asyncio.sleep(seconds * random.uniform(*self._renew))
        delay = min(1, seconds / 20)
        while True:
            with contextlib.suppress(Refused):
                return await self.renew()
            await asyncio.sleep(delay * random.uniform(0.5, 1))
            delay *= 2

    # Topics

    def _subscribe(self, names: list[str], rewind: Optional[int] = None) -> asyncio.Future:
        entries = []
        for name in names:
            topic = self.topics.setdefault(name, Topic())
            topic.subscribing += 1
            topic.is_recovering = topic.position is not None
            since = {"since": topic.position} if topic.is_recovering else {}
            extra = since if rewind is None else {**since, "rewind": rewind}
            entries.append({"topic": name, **extra} if extra else name)
        return self._request("@subscribe", {"topics": entries}, lambda frame: self._on_subscribe_answer(names, frame))

    def _on_subscribe_answer(self, names: list[str], frame: dict) -> None:
        refused = {entry["topic"]: entry for entry in frame.get("data", {}).get("refused", ())}
        for name in names:
            topic = self.topics.get(name)
            if topic is None:
                continue
            topic.subscribing -= 1
            removal, topic.removal = topic.removal, None
            if "error" in frame and frame["error"]["code"] in UNDECIDED and not removal:
                self._start(self._subscribe_later(name))
            elif "error" in frame:
                self._remove(removal or {"topic": name, **frame["error"]})
            elif name not in refused:
                topic.is_in = topic.is_in or not topic.unsubscribing
                self._end_gap(name, topic, Bound.of(frame["data"]))
                self.presences.moved(name, True)
            elif refused[name]["code"] in TRANSIENT and (topic.is_in or topic.missed_from):
                topic.missed_from = topic.missed_from or self._bound
                self._start(self._subscribe_later(name))
            elif not (refused[name]["code"] == "invalid_data" and topic.is_in):
                self._remove(refused[name])

    async def _subscribe_later(self, name: str) -> None:
        await asyncio.sleep(random.uniform(0.5, 1))
        if name in self.topics:
            self._subscribe([name])

    def _end_gap(self, name: str, topic: Topic, end: Bound) -> None:
        """Tells what was missed of a topic that could not be recovered, if anything."""
        if topic.missed_from and (topic.position is None or topic.is_recovering):
            self._emit(topic.missed_from.gap_until(end, name))
        if topic.is_recovering:
            topic.position = None  # the topic no longer has a history
        topic.missed_from, topic.is_recovering = None, False

    def _on_position(self, data: dict) -> None:
        for name in data["topics"]:
            topic = self.topics.get(name)
            if topic is None or (topic.position is None or topic.is_recovering) and "count" not in data:
                continue
            topic.position = {"epoch": data["epoch"], "offset": data["offset"]}
            if "recovered" in data:
                topic.is_recovering = False
                self._emit(Recovered(name, data["recovered"], data["count"]))
                if not data["recovered"] and topic.missed_from and self._bound:
                    self._emit(topic.missed_from.gap_until(self._bound, name))

    def _on_subscribed(self, data: dict) -> None:
        self._bound = bound = Bound.of(data)
        for entry in data["topics"]:
            name, position = entry["topic"], entry.get("position")
            topic = self.topics.setdefault(name, Topic())
            if topic.unsubscribing:
                continue
            topic.is_in = topic.by_server = True
            self._emit(Subscribed(name))
            self.presences.moved(name, True)
            if topic.subscribing:
                continue
            if position is not None and topic.position is not None:
                if topic.position != position:
                    self._subscribe([name])
                elif topic.missed_from:
                    topic.missed_from = None
                    self._emit(Recovered(name, True, 0))
                continue
            topic.position = position
            if topic.missed_from:
                self._emit(topic.missed_from.gap_until(bound, name))
            elif "since" in entry:
                self._emit(Gap(name, entry["since"] - bound.behind, bound.timestamp + bound.ahead))
            topic.missed_from = None

    def _on_unsubscribed(self, data: dict) -> None:
        for entry in data["topics"]:
            topic = self.topics.get(entry["topic"])
            if topic is None or topic.unsubscribing:
                continue
            topic.by_server = False
            if topic.subscribing:
                topic.removal = entry
            else:
                self._remove(entry)

    def _remove(self, entry: dict) -> None:
        topic = self.topics.pop(entry["topic"])
        self.presences.moved(entry["topic"], False)
        if topic.is_in or topic.is_wanted and topic.missed_from:
            self._emit(Unsubscribed(entry["topic"], entry["code"], entry["message"]))

    def _on_gap(self, data: dict) -> None:
        self._emit(Gap(data["topic"], data["since"], data["until"]))

    def _on_pong(self, frame: dict) -> None:
        if "data" in frame:
            self._bound = Bound.of(frame["data"])

    def _on_disconnected(self, data: dict) -> None:
        self._disconnected = data

    def _on_lost(self, code: int, reason: str, will_reconnect: bool) -> None:
        was_ready, self.is_ready, self._socket = self.is_ready, False, None
        for name, topic in [("*", self._everyone), *self.topics.items()]:
            was_in, topic.is_in, topic.by_server = topic.is_in, False, False
            if was_in:
                topic.missed_from = topic.missed_from or self._bound
            elif was_ready and not topic.is_wanted and name != "*":
                del self.topics[name]
            topic.subscribing = topic.unsubscribing = 0
            topic.is_recovering, topic.removal = False, None
        pending, self._pending = self._pending, {}
        for future, _ in pending.values():
            if not future.done():
                future.set_exception(Disconnected(code, reason))
        self.presences.lost()
        told, self._disconnected = self._disconnected, None
        self._emit(Lost(code, reason, will_reconnect, told))
