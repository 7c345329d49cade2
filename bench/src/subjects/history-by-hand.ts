/**
 * History, written small: for each message a script that numbers, stores and publishes it, all scripts of a turn of the event loop in one
 * pipeline; each client that comes reads for itself. No bounds but the number of messages, no chain, no order across failures.
 */
import { type ChainableCommander, Redis } from 'ioredis';
import { KEPT } from './kept.ts';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

const APPEND = `
local offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ${KEPT.size}, offset .. '-0', 'd', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ${KEPT.ttlMs})
redis.call('PEXPIRE', KEYS[2], ${KEPT.ttlMs})
redis.call('PUBLISH', ARGV[1], offset .. ':' .. ARGV[2])
`;

await serve(async ({ redisPort = 6379 }) => {
	const publisher = new Redis({ port: redisPort });
	const subscriber = new Redis({ port: redisPort });
	const digest = (await publisher.script('LOAD', APPEND)) as string;
	let pipeline: ChainableCommander | undefined;

	const { server, subject } = rawServer({
		onFirst: (topic) => subscriber.subscribe(topic),
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
