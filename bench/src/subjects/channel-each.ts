/** Bun's server with one Redis channel per client, the minimum that is needed to reach a client from every node. */
import { Redis } from 'ioredis';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(({ redisPort = 6379 }) => {
	const publisher = new Redis({ port: redisPort });
	const subscriber = new Redis({ port: redisPort });
	const { server, subject } = rawServer({ onOpen: () => subscriber.subscribe(`orijs:@${crypto.randomUUID()}`) });
	subscriber.on('messageBuffer', (topic: Buffer, payload: Buffer) => server.publish(topic.toString(), payload));
	return { ...subject, publish: (topic, payload) => publisher.publish(topic, payload) };
});
