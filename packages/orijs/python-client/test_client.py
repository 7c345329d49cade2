"""The scenarios of membership, credentials and payloads. Run by ../src/python-client.test.ts, which starts the server."""

import asyncio
import json
import os
import random
import time
import unittest
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Type

import websockets

from events import (
    Disconnected,
    Failed,
    Gap,
    Lost,
    Members,
    Message,
    Ready,
    Recovered,
    Refused,
    Subscribed,
    Unsubscribed,
    Unwatched,
)
from orijs_client import NOTHING, Client
from relay import Relay

URL = os.environ.get("ORIJS_URL", "")
KICKED = {"code": "kicked", "message": "Be nice"}
BANNED = {"code": "banned", "message": "You were banned", "reconnect": False}


async def until(client: Client, kind: Type, **fields: Any) -> tuple[Any, list]:
    """The next event of that kind with those fields, and the events before it."""
    before: list = []
    while True:
        event = await asyncio.wait_for(client.events.get(), 10)
        if isinstance(event, kind) and all(getattr(event, name) == value for name, value in fields.items()):
            return event, before
        before.append(event)


def texts(events: list) -> list[str]:
    return [event.data["text"] for event in events if isinstance(event, Message)]


class TestClient(unittest.IsolatedAsyncioTestCase):
    def setUp(self) -> None:
        self.id = uuid.uuid4().hex[:8]
        self.room = f"room:open:{self.id}"  # has history, and clients may ask for it
        self.closed = f"room:closed:{self.id}"  # has history; only the server chooses it
        self.plain = f"open:{self.id}"
        self.here = f"open:here:{self.id}"  # its presence is kept

    async def client(self, url: str = URL, *, user: str = "", token: Any = None, **options: Any) -> Client:
        client = self.unconnected(url, token if token else {"user": user or self.id}, **options)
        await asyncio.wait_for(client.connect(), 10)
        return client

    def unconnected(self, url: str, token: Any, **options: Any) -> Client:
        client = Client(url, token, **{"retry_s": 0.05, **options})
        self.addAsyncCleanup(client.close)
        return client

    async def relay(self) -> Relay:
        relay = Relay(URL)
        await relay.start()
        self.addAsyncCleanup(relay.stop)
        return relay

    async def say(self, client: Client, topic: str, *texts: str) -> None:
        await client.request("say", {"topic": topic, "texts": texts})

    # Becoming ready

    async def test_is_ready_in_what_the_server_has_chosen_before(self) -> None:
        client = await self.client(token={"user": self.id, "rooms": [self.closed, "plain"]})
        ready, before = await until(client, Ready)
        self.assertEqual(before, [Subscribed(self.closed), Subscribed("plain")])
        self.assertIsNone(ready.expires_in_ms)
        other = await self.client(user="other")
        await self.say(other, self.closed, "hi")
        message, _ = await until(client, Message)
        self.assertEqual((message.name, message.data, message.topic), ("said", {"text": "hi"}, self.closed))

    async def test_is_refused_for_good(self) -> None:
        for token, reason in [
            ({"user": "banned"}, "unauthorized"),
            ({"user": "ada", "refusal": "maintenance"}, "maintenance"),
            (NOTHING, "unauthorized"),
            ("no object", "unauthorized"),
        ]:
            client = self.unconnected(URL, token)
            with self.assertRaises(Disconnected) as raised:
                await client.connect()
            self.assertEqual((raised.exception.code, raised.exception.reason), (4401, reason))
            self.assertEqual(client.events.get_nowait(), Lost(4401, reason, False))

    async def test_answers_requests_before_it_is_ready(self) -> None:
        at = datetime(2026, 1, 2, 3, 4, 5, 678_000, timezone.utc)
        client = self.unconnected(URL, {"user": self.id, "asks": True, "at": at})

        async def answer(data: Any) -> Any:
            self.assertEqual(data, {"at": at})
            return {"topics": [self.plain, self.closed], "at": data["at"]}

        client.requests["ask"] = answer
        await client.connect()
        _, before = await until(client, Ready)
        self.assertEqual(before, [Subscribed(self.plain), Subscribed(self.closed)])

    async def test_sends_no_credentials_to_a_server_that_confirms_any_offer(self) -> None:
        received: list = []

        async def take(socket: Any, *_: Any) -> None:
            received.extend([frame async for frame in socket])

        async with websockets.serve(take, "127.0.0.1", 0, subprotocols=["orijs.none"]) as server:
            client = self.unconnected(f"ws://127.0.0.1:{list(server.sockets)[0].getsockname()[1]}", "secret")
            with self.assertRaises(Disconnected):
                await client.connect()
        self.assertEqual(received, [])

    # The server chooses

    async def test_is_told_in_order_with_the_messages(self) -> None:
        client = await self.client()
        await until(client, Ready)
        for topic in (self.closed, self.plain):
            await client.request("flicker", {"topic": topic, "times": 20})
            await self.say(client, "nowhere")
            told = [client.events.get_nowait() for _ in range(client.events.qsize())]
            expected: list = []
            for i in range(20):
                expected += [Subscribed(topic), f"in {i}", Unsubscribed(topic, "flicker", f"out {i}")]
            told = [event.data["text"] if isinstance(event, Message) else event for event in told]
            if topic == self.plain:  # of this node, messages may come before the frame
                for kind in (str, (Subscribed, Unsubscribed)):
                    self.assertEqual(
                        [event for event in told if isinstance(event, kind)],
                        [event for event in expected if isinstance(event, kind)],
                    )
            else:
                self.assertEqual(told, expected)
            self.assertEqual(client.topics, {})

    async def test_is_removed_with_a_code_and_subscribes_again(self) -> None:
        client, server = await self.client(), await self.client(user="moderator")
        await client.subscribe(self.room)
        await self.say(server, self.room, "before")
        await server.request("remove", {"user": self.id, "topic": self.room, **KICKED})
        await self.say(server, self.room, "missed")
        removal, before = await until(client, Unsubscribed)
        self.assertEqual(removal, Unsubscribed(self.room, "kicked", "Be nice"))
        self.assertEqual(texts(before), ["before"])
        await client.subscribe(self.room)
        await self.say(server, self.room, "after")
        _, before = await until(client, Message, data={"text": "after"})
        self.assertEqual(before, [])

    async def test_an_answer_tells_a_removal_while_it_was_pending(self) -> None:
        client, server = await self.client(), await self.client(user="moderator")
        held = f"held:{self.id}"
        await server.request("add", {"user": self.id, "topic": self.room})
        await until(client, Subscribed)
        pending = client._subscribe([self.room, held])  # as to recover a topic that it is in
        await server.request("until-held", {"topic": held})
        await server.request("remove", {"user": self.id, "topic": self.room, **KICKED})
        await server.request("release", {"topic": held})
        self.assertEqual((await pending)["refused"], [{"topic": self.room, **KICKED}])
        removal, before = await until(client, Unsubscribed)
        self.assertEqual(removal, Unsubscribed(self.room, "kicked", "Be nice"))
        self.assertFalse([event for event in before if isinstance(event, Unsubscribed)])
        self.assertEqual(list(client.topics), [held])

    async def test_a_permission_after_a_removal_counts(self) -> None:
        client, server = await self.client(), await self.client(user="moderator")
        held = f"held:{self.id}"
        pending = asyncio.ensure_future(client.subscribe(held))
        await server.request("until-held", {"topic": held})
        await server.request("add", {"user": self.id, "topic": held})
        await until(client, Subscribed)
        await server.request("remove", {"user": self.id, "topic": held, **KICKED})
        await server.request("release", {"topic": held})
        await pending
        await self.say(server, held, "heard")
        _, before = await until(client, Message)
        self.assertEqual(before, [])

    async def test_both_choose_a_topic_and_the_client_leaves_it(self) -> None:
        client, server = await self.client(token={"user": self.id, "rooms": [self.closed]}), await self.client(user="b")
        await client.subscribe(self.closed)  # is in it: nothing is sent, nothing is asked
        await self.say(server, self.closed, "heard")
        await until(client, Message)
        await client.unsubscribe(self.closed)
        await self.say(server, self.closed, "not heard")
        with self.assertRaises(Refused) as raised:
            await client.subscribe(self.closed)
        self.assertEqual(raised.exception.code, "forbidden")
        await server.request("add", {"user": self.id, "topic": self.closed})
        await self.say(server, self.closed, "again")
        _, before = await until(client, Message, data={"text": "again"})
        self.assertEqual(before, [Subscribed(self.closed)])

    # After a reconnect

    async def test_recovers_all_under_load(self) -> None:
        relay, server = await self.relay(), await self.client(user="server")
        client = await self.client(relay.url, token={"user": self.id, "rooms": [self.closed]})
        await client.subscribe(self.room)
        async def cut() -> None:
            for _ in range(4):
                relay.cut()
                while client.is_ready:
                    await asyncio.sleep(0.001)
                relay.mend()
                while not client.is_ready:
                    await asyncio.sleep(0.001)
                await asyncio.sleep(random.uniform(0, 0.1))

        cuts = asyncio.ensure_future(cut())
        published: list[str] = []
        while not cuts.done() or len(published) < 300:
            texts = [str(len(published) + i) for i in range(5)]
            for topic in (self.room, self.closed):
                await self.say(server, topic, *texts)
            published += texts
            await asyncio.sleep(0.01)
        await cuts
        for topic in (self.room, self.closed):
            await self.say(server, topic, "last")
        heard: dict[str, list] = {self.room: [], self.closed: []}
        lost = recovered = 0
        while not all(topic[-1:] == ["last"] for topic in heard.values()):
            event = await asyncio.wait_for(client.events.get(), 10)
            if isinstance(event, Message):
                heard[event.topic].append(event.data["text"])
            lost += isinstance(event, Lost) and event.will_reconnect
            recovered += isinstance(event, Recovered) and event.recovered
            self.assertFalse(isinstance(event, Gap) and event.topic != "*", event)
        self.assertEqual(heard, {topic: [*published, "last"] for topic in heard})
        self.assertGreaterEqual(lost, 4)
        self.assertGreater(recovered, 0)

    async def test_recovers_what_the_server_has_chosen_and_tells_gaps_of_plain_topics(self) -> None:
        relay, server = await self.relay(), await self.client(user="server")
        chosen = f"chosen:{self.id}"
        client = await self.client(relay.url, token={"user": self.id, "rooms": [self.closed, chosen]})
        await client.subscribe(self.plain)
        await self.say(server, self.closed, "before")
        await until(client, Message)
        relay.cut()
        await until(client, Lost)
        for topic in (self.closed, chosen, self.plain):
            await self.say(server, topic, "missed")
        missed_at = time.time() * 1000
        relay.mend()
        _, before = await until(client, Ready)
        told = before + (await until(client, Recovered, topic=self.closed))[1]
        while {event.topic for event in told if isinstance(event, Gap)} != {"*", chosen, self.plain}:
            told.append(await asyncio.wait_for(client.events.get(), 10))
        self.assertEqual([(m.topic, m.data["text"]) for m in told if isinstance(m, Message)], [(self.closed, "missed")])
        for gap in (event for event in told if isinstance(event, Gap)):
            self.assertLessEqual(gap.since, missed_at - 3000)
            self.assertGreater(gap.until, missed_at)
            self.assertLess(gap.until - gap.since, 20_000)
        await self.say(server, self.closed, "after")
        _, before = await until(client, Message, data={"text": "after"})
        self.assertEqual(texts(before), [])

    async def test_is_told_what_the_server_has_not_chosen_again_and_recovers_it_later(self) -> None:
        relay, server = await self.relay(), await self.client(user="server")
        client = await self.client(relay.url)
        await server.request("add", {"user": self.id, "topic": self.closed})
        await until(client, Subscribed)
        relay.cut()
        await until(client, Lost)
        await self.say(server, self.closed, "missed")
        relay.mend()
        await until(client, Unsubscribed, topic=self.closed, code="disconnected")
        await until(client, Ready)
        await server.request("add", {"user": self.id, "topic": self.closed})
        recovered, before = await until(client, Recovered)
        self.assertEqual(recovered, Recovered(self.closed, True, 1))
        self.assertEqual(texts(before), ["missed"])

    async def test_what_is_kept_from_it_is_a_gap(self) -> None:
        relay, server = await self.relay(), await self.client(user="server")
        await self.say(server, self.closed, "past")
        client = await self.client(relay.url, token={"user": self.id, "futures": [self.closed]})
        with self.assertRaises(Refused):
            await client.history(self.closed)
        relay.cut()
        await until(client, Lost)
        await self.say(server, self.closed, "missed")
        relay.mend()
        recovered, before = await until(client, Recovered)
        self.assertEqual((recovered, texts(before)), (Recovered(self.closed, False, 0), []))
        await until(client, Gap, topic=self.closed)
        await self.say(server, self.closed, "after")
        _, before = await until(client, Message)
        self.assertEqual(texts(before), [])

    # The client chooses

    async def test_subscribes_unsubscribes_and_is_refused(self) -> None:
        client, server = await self.client(), await self.client(user="server")
        await client.subscribe(self.plain)
        await self.say(server, self.plain, "heard")
        await until(client, Message)
        await client.unsubscribe(self.plain)
        await self.say(server, self.plain, "not heard")
        for topic, code in [("secret", "forbidden"), ("paid:x", "no_ticket"), ("not valid", "invalid_data")]:
            with self.assertRaises(Refused) as raised:
                await client.subscribe(topic)
            self.assertEqual(raised.exception.code, code)
        self.assertEqual((client.events.qsize(), client.topics), (0, {}))

    async def test_rewinds_and_reads_pages(self) -> None:
        client = await self.client()
        await self.say(client, self.room, "1", "2", "3")
        await client.request("raw", {"topic": self.room, "payload": b"4"})
        await client.subscribe(self.room, rewind=2)
        _, before = await until(client, Message, data=b"4")
        self.assertEqual(texts(before), ["3"])
        page = await client.history(self.room, limit=2)
        self.assertEqual([message["data"] for message in page["messages"]], [{"text": "3"}, b"4"])
        position = page["messages"][0]["position"]
        before = {"epoch": position["epoch"], "offset": position["offset"]}
        page = await client.history(self.room, before=before)
        self.assertEqual([message["data"]["text"] for message in page["messages"]], ["1", "2"])
        self.assertFalse(page["hasMore"])
        with self.assertRaises(Refused) as raised:
            await client.subscribe(self.plain, rewind=1)
        self.assertEqual(raised.exception.code, "invalid_data")

    # Requests and payloads

    async def test_requests_both_ways(self) -> None:
        client = await self.client()
        at = datetime(2026, 11, 27, 10, 0, 0, 123_000, timezone.utc)
        data = {"at": at.astimezone(timezone(timedelta(hours=2))), "scan": b"\x00\x01\xff", "text": "é💚"}
        reply = {"at": at, "scans": [b"\x00\x01\xff", b""], "raw": b"\x00\x00"}
        self.assertEqual(await client.request("echo", data), reply)
        for type, data, code in [("fail", None, "teapot"), ("echo", {}, "invalid_data"), ("?", None, "unknown_type")]:
            with self.assertRaises(Refused) as raised:
                await client.request(type, data)
            self.assertEqual(raised.exception.code, code)
        client.send("fail", None)
        failed, _ = await until(client, Failed)
        self.assertEqual((failed.type, failed.code), ("fail", "teapot"))

        async def answer(_: Any) -> Any:
            return [b"\x01", at]

        async def refuse(_: Any) -> Any:
            raise Refused("busy", "Not now")

        client.requests = {"answer": answer, "refuse": refuse}
        self.assertEqual(await client.request("ask-me", {"name": "answer"}), [b"\x01", at])
        self.assertEqual(await client.request("ask-me", {"name": "refuse"}), {"code": "busy"})
        self.assertEqual(await client.request("ask-me", {"name": "else"}), {"code": "unknown_type"})

    async def test_text_bytes_and_dates_arrive_unchanged(self) -> None:
        client = await self.client()
        await client.subscribe(self.plain)
        await client.subscribe(self.room)
        fake = '{ "type": "@gap", "data": { "topic": "*", "since": 0, "until": 1 } }'
        magic = b"\x00orijs\x00\x01"
        payloads = ["hi", "", fake, "\ufeff \n" + fake, "[1]", b"", b"\x00\x01", magic, magic + b"\x00\x02{}", magic[:5]]
        for payload in payloads:
            for topic in (None, self.plain, self.room):
                await client.request("raw", {"payload": payload, **({"topic": topic} if topic else {})})
                message, before = await until(client, Message)
                self.assertEqual((message.name, message.data), (None, payload))
                self.assertNotIn(Gap, map(type, before))
                self.assertEqual(message.position is not None, topic == self.room)
        at = datetime(2026, 1, 1, tzinfo=timezone.utc)
        for topic in (self.plain, self.room):
            await client.request("store", {"topic": topic, "at": at, "scan": b"\xff"})
            message, _ = await until(client, Message)
            self.assertEqual(message.data, {"at": at, "scans": [b"\xff"]})

    # Presence

    async def until_here(self, client: Client, *users: str, topic: str = "") -> Members:
        """The next event that says that these users are in the topic, as far as the server knows."""
        while True:
            event, _ = await until(client, Members, topic=topic or self.here)
            if event.members is not None and not event.is_stale and set(event.members) == {f"user:{user}" for user in users}:
                return event

    async def test_knows_who_is_there_and_what_changes(self) -> None:
        client = await self.client(user="ada")
        await client.subscribe(self.here)
        client.presences.watch(self.here)
        event = await self.until_here(client, "ada")
        self.assertEqual((event.members["user:ada"]["connections"], event.count), (1, 1))
        other = await self.client(user="ben")
        await other.subscribe(self.here)
        await self.until_here(client, "ada", "ben")
        other.presences.watch(self.here)
        await self.until_here(other, "ada", "ben")
        await other.presences.update(self.here, {"status": "away"})
        while (await self.until_here(client, "ada", "ben")).members["user:ben"].get("info") != {"status": "away"}:
            pass
        await other.close()
        await self.until_here(client, "ada")
        await client.presences.unwatch(self.here)

    async def test_reads_pages_of_members(self) -> None:
        users = [f"u{i:03}" for i in range(120)]
        for user in users:
            await (await self.client(user=user)).subscribe(self.here)
        client = await self.client(user="ada")
        await client.subscribe(self.here)
        client.presences.watch(self.here)
        event = await self.until_here(client, "ada", *users)
        self.assertEqual(event.count, 121)

    async def test_is_up_to_date_after_a_reconnect_and_says_again_who_it_is(self) -> None:
        relay, other = await self.relay(), await self.client(user="ben")
        client = await self.client(relay.url, user="ada")
        for one in (client, other):
            await one.subscribe(self.here)
            one.presences.watch(self.here)
            await self.until_here(one, *(["ada"] if one is client else ["ada", "ben"]))
        await client.presences.update(self.here, {"status": "busy"})
        relay.cut()
        await until(client, Lost)
        await self.until_here(other, "ben")
        await (await self.client(user="cy")).subscribe(self.here)
        relay.mend()
        await self.until_here(client, "ada", "ben", "cy")
        while (await self.until_here(other, "ada", "ben", "cy")).members["user:ada"].get("info") != {"status": "busy"}:
            pass

    async def test_waits_until_it_is_in_the_topic_and_is_told_nothing_after_it_has_left(self) -> None:
        client, other = await self.client(user="ada"), await self.client(user="ben")
        await other.subscribe(self.here)
        client.presences.watch(self.here)
        await client.subscribe(self.here)
        await self.until_here(client, "ada", "ben")
        await client.unsubscribe(self.here)
        await other.request("echo", {"at": datetime.now(timezone.utc), "scan": b"", "text": ""})
        await client.subscribe(self.here)
        await self.until_here(client, "ada", "ben")

    async def test_knows_only_the_count_of_many_and_is_refused(self) -> None:
        client = await self.client(user="ada")
        counted = f"open:counted:{self.id}"
        await client.subscribe(counted, self.plain)
        client.presences.watch(counted)
        await until(client, Members, members=None, count=1)
        await (await self.client(user="ben")).subscribe(counted)
        await until(client, Members, members=None, count=2)
        client.presences.watch(self.plain)
        await until(client, Unwatched, topic=self.plain, code="not_kept")
        client.presences.watch(self.here)
        with self.assertRaises(Refused) as raised:
            await client.presences.update(self.here, {})
        self.assertEqual(raised.exception.code, "not_subscribed")
        await client.subscribe(self.here)
        for info, code in [({"status": 5}, "invalid_data"), ({"text": "x" * 2000}, "too_large")]:
            with self.assertRaises(Refused) as raised:
                await client.presences.update(self.here, info)
            self.assertEqual(raised.exception.code, code)

    # Credentials

    async def test_renews_on_the_live_connection(self) -> None:
        tokens = [{"user": self.id, "expiresInMs": 1000, "rooms": ["both", "admins"]}] + [
            {"user": self.id, "expiresInMs": 1000, "rooms": ["both", "new"]}
        ] * 20
        client = await self.client(token=lambda: tokens.pop(0), renew=(0.3, 0.4))
        await until(client, Ready)
        await until(client, Unsubscribed, topic="admins", code="unsubscribed")
        started = time.monotonic()
        sent = []
        while time.monotonic() - started < 2:  # for longer than any of the credentials are valid
            sent.append(str(len(sent)))
            await self.say(client, "new", sent[-1])
            await asyncio.sleep(0.02)
        _, before = await until(client, Message, data={"text": sent[-1]})
        self.assertEqual(texts(before) + sent[-1:], sent)
        self.assertFalse([event for event in before if isinstance(event, Lost)])
        self.assertLessEqual(len(tokens), 18)

    async def test_tries_again_while_credentials_can_not_be_checked(self) -> None:
        valid = {"user": self.id, "expiresInMs": 2000}
        tokens = [valid, {**valid, "isUncheckable": True}, {**valid, "isUncheckable": True}, {"user": self.id}]
        client = await self.client(token=lambda: tokens.pop(0), renew=(0.3, 0.4))
        while tokens:
            await asyncio.sleep(0.01)
        await asyncio.sleep(2)
        await client.request("raw", {"payload": "still here"})
        _, before = await until(client, Message, data="still here")
        self.assertEqual(list(map(type, before)), [Ready])

    async def test_reconnects_once_with_new_credentials_when_they_have_expired(self) -> None:
        tokens: list = [{"user": self.id, "expiresInMs": 300}]
        client = await self.client(token=lambda: tokens.pop(0))
        await until(client, Failed)  # there are no new ones in time
        lost, _ = await until(client, Lost)
        self.assertEqual((lost.code, lost.reason, lost.will_reconnect), (4401, "token_expired", True))
        tokens.append({"user": self.id, "expiresInMs": 60_000})
        await until(client, Ready)
        tokens += [{"user": self.id, "refusal": "token_expired"}] * 2
        client.drop()
        await until(client, Lost, code=4401, will_reconnect=True)
        await until(client, Lost, code=4401, will_reconnect=False)

    async def test_may_not_become_another_user(self) -> None:
        tokens = [{"user": self.id}, {"user": "someone else"}]
        client = await self.client(token=lambda: tokens.pop(0))
        with self.assertRaises(Disconnected):
            await client.renew()
        lost, _ = await until(client, Lost)
        self.assertEqual(lost, Lost(4401, "another_user", False))

    # Disconnected by the server

    async def test_is_disconnected_for_good(self) -> None:
        client, admin = await self.client(token={"user": self.id, "rooms": [self.closed]}), await self.client(user="admin")
        await until(client, Ready)
        await self.say(admin, self.closed, "last words")
        self.assertEqual(await admin.request("disconnect", {"user": self.id, **BANNED}), 1)
        lost, before = await until(client, Lost)
        self.assertEqual(lost, Lost(4403, "banned", False, BANNED))
        self.assertEqual(texts(before), ["last words"])
        with self.assertRaises(Disconnected):
            await client.request("echo", {})

    async def test_returns_when_the_server_says_so(self) -> None:
        client, admin = await self.client(), await self.client(user="admin")
        await client.subscribe(self.room)
        await until(client, Ready)
        why = {"code": "moved", "message": "Please come back", "reconnect": True}
        await admin.request("disconnect", {"user": self.id, **why})
        await self.say(admin, self.room, "meanwhile")
        lost, _ = await until(client, Lost)
        self.assertEqual((lost.code, lost.will_reconnect, lost.disconnected), (4503, True, why))
        self.assertRegex(lost.reason, r"^moved; retry-after-ms=\d+$")
        _, before = await until(client, Message, data={"text": "meanwhile"})
        self.assertIn(Ready, map(type, before))

    async def test_a_ban_counts_even_if_the_close_frame_gets_lost(self) -> None:
        async def tell(socket: Any, *_: Any) -> None:
            await socket.recv()
            await socket.send(json.dumps({"type": "@disconnected", "data": BANNED}))
            await asyncio.sleep(0.1)
            socket.transport.abort()

        async with websockets.serve(tell, "127.0.0.1", 0, subprotocols=["orijs.1"]) as server:
            client = self.unconnected(f"ws://127.0.0.1:{list(server.sockets)[0].getsockname()[1]}", NOTHING)
            with self.assertRaises(Disconnected):
                await client.connect()
        self.assertEqual(client.events.get_nowait(), Lost(1006, "", False, BANNED))

    # Dead connections

    async def test_pings_and_notices_a_dead_connection(self) -> None:
        relay = await self.relay()
        client = await self.client(relay.url, ping_s=0.05, pong_s=1)
        await until(client, Ready)
        await asyncio.sleep(0.8)
        self.assertEqual(client.events.qsize(), 0)
        relay.freeze()
        lost, _ = await until(client, Lost)
        self.assertEqual((lost.code, lost.will_reconnect), (1006, True))
        relay.mend()
        await until(client, Ready)


if __name__ == "__main__":
    unittest.main()
