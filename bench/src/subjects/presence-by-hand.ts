/**
 * Presence as one writes it by hand: a hash per topic, and a message for each change. Nothing expires, so what a killed
 * node leaves behind stays. The hash and the messages are not in step: who reads the hash can miss a change.
 */
import { Redis } from 'ioredis';
import { memberOf } from './presence-member.ts';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(async ({ redisPort = 6379 }) => {
	const publisher = new Redis({ port: redisPort, enableAutoPipelining: true });
	const subscriber = new Redis({ port: redisPort });
	const { server, subject } = rawServer({ onNewTopic: (topic) => subscriber.subscribe(topic) });
	subscriber.on('message', (topic: string, text: string) => server.publish(topic, text));
	const tell = (topic: string, change: object): Promise<number> =>
		publisher.publish(`changes:${topic}`, JSON.stringify(change));

	return {
		...subject,
		publish: (topic, payload) => publisher.publish(topic, payload),
		presence: {
			join(client, topic) {
				const member = memberOf(client);
				return Promise.all([
					subject.subscribe(client, topic),
					publisher.hset(`members:${topic}`, member.client, JSON.stringify({ user: member.user, ...member.info })),
					tell(topic, { type: 'joined', member }),
				]);
			},
			leave(client, topic) {
				const member = memberOf(client);
				subject.unsubscribe(client, topic);
				return Promise.all([
					publisher.hdel(`members:${topic}`, member.client),
					tell(topic, { type: 'left', client: member.client }),
				]);
			},
			watch: (client, topic) => subject.subscribe(client, `changes:${topic}`),
			count: (topic) => publisher.hlen(`members:${topic}`),
		},
	};
});
