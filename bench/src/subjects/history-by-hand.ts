/**
 * A minimal history. One script call per message numbers, stores and publishes it, with one pipeline per turn of the
 * event loop. Every client reads its own history, which is bounded only by the number of messages. There is no gap
 * detection, and no guaranteed order after failures.
 */
import { type ChainableCommander, Redis } from 'ioredis';
import { RETENTION } from './retention.ts';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

const APPEND = `
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${RETENTION.size}, offset .. '-0', 'd', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${RETENTION.ttlMs})
redis.call('PEXPIRE', KEYS[2], ${RETENTION.ttlMs})
redis.call('PUBLISH', ARGV[1], offset .. ':' .. ARGV[2])
`;

await serve(async ({ redisPort = 6379 }) => {
	const publisher = new Redis({ port: redisPort });
	const subscriber = new Redis({ port: redisPort });
	const digest = (await publisher.script('LOAD', APPEND)) as string;
	let pipeline: ChainableCommander | undefined;

	const { server, subject } = rawServer({
		onNewTopic: (topic) => subscriber.subscribe(topic),
		async onOpen(ws) {
			const { topics, rewind } = ws.data;
			if (rewind === 0) return;
			for (const topic of topics) {
				const entries = await publisher.xrevrange(`${topic}:log`, '+', '-', 'COUNT', rewind);
				ws.cork(() => {
					for (const [id, [, text]] of entries.toReversed()) ws.send(`${id.slice(0, -2)}:${text}`);
				});
			}
		},
	});
	subscriber.on('message', (topic: string, text: string) => server.publish(topic, text));

	return {
		...subject,
		publish(topic, payload) {
			if (pipeline === undefined) {
				pipeline = publisher.pipeline();
				queueMicrotask(() => {
					void pipeline?.exec();
					pipeline = undefined;
				});
			}
			pipeline.evalsha(digest, 2, `${topic}:meta`, `${topic}:log`, topic, payload);
		},
	};
});
