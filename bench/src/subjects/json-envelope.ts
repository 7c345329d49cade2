/**
 * A minimal version of the common design: each message is sent as a JSON envelope with one PUBLISH, and a node drops
 * its own messages.
 */
import { Redis } from 'ioredis';
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

interface Envelope {
	readonly node: string;
	readonly topic: string;
	readonly payload: string;
}

await serve(({ redisPort = 6379, onHandOff }) => {
	const node = crypto.randomUUID();
	const publisher = new Redis({ port: redisPort });
	const subscriber = new Redis({ port: redisPort });
	const { server, subject } = rawServer({ onNewTopic: (topic) => subscriber.subscribe(topic) });
	subscriber.on('message', (_channel: string, text: string) => {
		const { node: origin, topic, payload } = JSON.parse(text) as Envelope;
		if (origin === node) return;
		onHandOff?.(payload);
		server.publish(topic, payload);
	});
	return {
		...subject,
		publish(topic, payload) {
			server.publish(topic, payload);
			return publisher.publish(topic, JSON.stringify({ node, topic, payload } satisfies Envelope));
		},
	};
});
