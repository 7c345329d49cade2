// A process that starts an application, uses it, stops it, and then has nothing left to do.

import { connectClient, report } from '@orijs/testkit';
import { Application } from '../index.ts';

const app = new Application().websocket({
	upgrade: async () => {
		await Bun.sleep(1);
		return {};
	},
	upgradeTimeoutMs: 60_000,
});
const { port } = await app.listen(0);
const client = await connectClient(`ws://localhost:${port}/ws`);
await app.stop();
await client.closed;
await report('stopped');
process.disconnect?.();
