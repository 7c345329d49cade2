/** `Bun.serve` and `server.publish`: nothing between the application and the runtime. */
import { rawServer } from './raw-server.ts';
import { serve } from './serve.ts';

await serve(() => {
	const { server, subject } = rawServer();
	return { ...subject, publish: (topic, payload) => server.publish(topic, payload) };
});
