import { until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { message } from '../flood.ts';

export const slowReaders: Attack = {
	name: 'slow-readers',
	title: 'clients that subscribe and never read',
	// The server queues up to 1 MiB for each. The kernel's buffers do not count.
	bounds: { peakMib: 400 },
	async run(target, size) {
		const sockets = await target.openMany(size(100, 30));
		for (const socket of sockets) target.write(socket, message('@subscribe', { topic: 'room:flood' }, 's'));
		await until(() => sockets.every(({ texts }) => texts.length > 0), { what: 'all are subscribed' });
		for (const socket of sockets) socket.pause();
		const { refusals } = await target.ask({ do: 'publish', topic: 'room:flood', count: 3_000, bytes: 4_096 });
		target.note(`${refusals.slowReader} closed`);
		if (refusals.slowReader < sockets.length) throw new Error(`only ${refusals.slowReader} were closed`);
	},
};
