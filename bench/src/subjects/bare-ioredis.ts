/**
 * Uses ioredis from `publish` to `message`, and nothing else: payloads are bare, and a node receives its own messages.
 */
import { Redis } from 'ioredis';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(({ redisPort = 6379, onHandOff }) => {
	const publisher = new Redis({ port: redisPort });
	const subscriber = new Redis({ port: redisPort });
	const { server, subject } = rawServer({ onNewTopic: (topic) => subscriber.subscribe(topic) });
	subscriber.on('message', (topic: string, payload: string) => {
		onHandOff?.(payload);
		server.publish(topic, payload);
	});
	return { ...subject, publish: (topic, payload) => publisher.publish(topic, payload) };
});
