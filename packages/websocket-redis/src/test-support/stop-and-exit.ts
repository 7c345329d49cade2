// A process that starts a provider, stops it on request, and must then end by itself.

import { answerRequests } from '@orijs/testkit';
import { RedisWsProvider } from '../index.ts';

const provider = new RedisWsProvider({ connection: String(process.env.REDIS_URL), connectTimeout: 60_000 });

answerRequests(async (request) => {
	if (request === 'start') {
		await provider.start();
		return;
	}
	if (request === 'start without waiting') {
		provider.start().catch(() => {});
		return;
	}
	if (request === 'publish') {
		void provider.publish('t', 'x');
		return;
	}
	const begin = performance.now();
	await provider.stop();
	// The IPC channel to the test must not keep the process alive.
	setTimeout(() => process.disconnect?.(), 50);
	return performance.now() - begin;
});
