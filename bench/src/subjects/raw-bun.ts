/** Uses `Bun.serve` and `server.publish`, with nothing in between. */
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(() => {
	const { server, subject } = rawServer();
	return { ...subject, publish: (topic, payload) => server.publish(topic, payload) };
});
