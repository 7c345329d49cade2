import { until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { message } from '../flood.ts';
import { NEWS } from '../server/protocol.ts';

const IDLE_TIMEOUT_MS = 8_000;

export const vanishedClients: Attack = {
	name: 'vanished-clients',
	title: 'clients whose network is gone, subscribed to a busy topic',
	limits: { idleTimeoutMs: IDLE_TIMEOUT_MS },
	bounds: { peakMib: 64 },
	async run(target, size) {
		const count = size(300, 50);
		const proxy = await target.proxy();
		const sockets = await target.openMany(count, proxy.port);
		for (const socket of sockets) target.write(socket, message('@subscribe', { topic: NEWS }, 's'));
		await until(() => sockets.every(({ texts }) => texts.length > 0), { what: 'all are subscribed' });
		proxy.freeze();
		await until(async () => (await target.ask({ do: 'read' })).connections === 1, {
			what: 'the server has noticed',
			timeoutMs: 2 * IDLE_TIMEOUT_MS,
		});
	},
};
