/**
 * Presence with an expiry per client, in the structure that Centrifugo documents for Redis: for each channel a hash of
 * clients with their info and a sorted set of clients by expiry; with `mapsUsers` (`presence_user_mapping`) the same
 * for users, with their number of clients. Each client is refreshed at the default interval. A killed node's clients
 * are there until they expire. Written from the documentation; the code is our own.
 */
import { Redis } from 'ioredis';
import { memberOf } from './presence-member.ts';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

const TTL_MS = 60_000;
const REFRESHED_EVERY_MS = 27_000;
/** Refreshes are spread over the interval, as are those of clients that came at different times. */
const REFRESH_TICK_MS = 100;

const PUT = `
local isNew = redis.call('HSET', KEYS[1], ARGV[1], ARGV[2]) == 1
redis.call('ZADD', KEYS[2], ARGV[3], ARGV[1])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
redis.call('PEXPIRE', KEYS[2], ARGV[4])
if #KEYS > 2 then
	if isNew then redis.call('HINCRBY', KEYS[3], ARGV[5], 1) end
	redis.call('ZADD', KEYS[4], ARGV[3], ARGV[5])
	redis.call('PEXPIRE', KEYS[3], ARGV[4])
	redis.call('PEXPIRE', KEYS[4], ARGV[4])
end
`;
const REMOVE = `
redis.call('ZREM', KEYS[2], ARGV[1])
if redis.call('HDEL', KEYS[1], ARGV[1]) == 1 and #KEYS > 2 and redis.call('HINCRBY', KEYS[3], ARGV[2], -1) <= 0 then
	redis.call('HDEL', KEYS[3], ARGV[2])
	redis.call('ZREM', KEYS[4], ARGV[2])
end
`;

await serve(async ({ redisPort = 6379, mapsUsers = false }) => {
	const publisher = new Redis({ port: redisPort, enableAutoPipelining: true });
	const subscriber = new Redis({ port: redisPort });
	const [put, remove] = (await Promise.all([PUT, REMOVE].map((script) => publisher.script('LOAD', script)))) as [
		string,
		string,
	];
	const { server, subject } = rawServer({ onNewTopic: (topic) => subscriber.subscribe(topic) });
	subscriber.on('message', (topic: string, text: string) => server.publish(topic, text));
	/** Who is where on this node, in the order of their next refresh. */
	const present = new Map<string, { readonly client: number; readonly topic: string }>();

	function keysOf(topic: string): string[] {
		const keys = [`presence.data.${topic}`, `presence.expire.${topic}`];
		return mapsUsers ? [...keys, `presence.users.${topic}`, `presence.users_expire.${topic}`] : keys;
	}

	function store(client: number, topic: string): Promise<unknown> {
		const member = memberOf(client);
		const keys = keysOf(topic);
		const expiry = Date.now() + TTL_MS;
		const values = [member.client, JSON.stringify(member), expiry, TTL_MS, member.user];
		return publisher.evalsha(put, keys.length, ...keys, ...values);
	}

	function tell(topic: string, change: object): Promise<number> {
		return publisher.publish(`changes:${topic}`, JSON.stringify(change));
	}

	let due = 0;
	setInterval(() => {
		due += (present.size * REFRESH_TICK_MS) / REFRESHED_EVERY_MS;
		for (const [key, entry] of present) {
			if (due < 1) break;
			due--;
			present.delete(key);
			present.set(key, entry);
			void store(entry.client, entry.topic);
		}
	}, REFRESH_TICK_MS);

	return {
		...subject,
		publish: (topic, payload) => publisher.publish(topic, payload),
		presence: {
			join(client, topic) {
				present.set(`${client} ${topic}`, { client, topic });
				return Promise.all([
					subject.subscribe(client, topic),
					store(client, topic),
					tell(topic, { type: 'join', info: memberOf(client) }),
				]);
			},
			leave(client, topic) {
				const member = memberOf(client);
				const keys = keysOf(topic);
				present.delete(`${client} ${topic}`);
				subject.unsubscribe(client, topic);
				return Promise.all([
					publisher.evalsha(remove, keys.length, ...keys, member.client, member.user),
					tell(topic, { type: 'leave', info: member }),
				]);
			},
			watch: (client, topic) => subject.subscribe(client, `changes:${topic}`),
			count: (topic) => publisher.zcard(`presence.expire.${topic}`),
		},
	};
});
