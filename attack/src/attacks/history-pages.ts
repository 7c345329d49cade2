import { until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { message, sendSteadily } from '../flood.ts';

const TOPIC = 'log:pages';
/** Just within the rate that the server allows. */
const PER_SECOND = 90;

export const historyPages: Attack = {
	name: 'history-pages',
	title: 'clients that request different pages of a history, as large and as often as they may; most never read them',
	// For each: a page that is being sent, and what the kernel does not take of it.
	bounds: { peakMib: 300 },
	async run(target, size) {
		await target.ask({ do: 'publish', topic: TOPIC, count: 900, bytes: 4_096 });
		const sockets = await target.openMany(size(40, 15));
		let sent = 0;
		const bytes = (): Buffer => message('@history', { topic: TOPIC, limit: 900 + (sent++ % 100) }, `${sent}`);
		await sendSteadily(target, sockets.slice(0, 1), { bytes, perSecond: 1, seconds: 1 });
		await until(() => sockets[0]!.texts.length > 0, { what: 'pages are answered' });
		for (const socket of sockets.slice(2)) socket.pause();
		await sendSteadily(target, sockets, { bytes, perSecond: PER_SECOND, seconds: size(4, 1) });
		const { refusals } = await target.ask({ do: 'read' });
		const pages = sockets.slice(0, 2).reduce((count, { texts }) => count + texts.length, 0);
		target.note(`${pages} pages read, ${refusals.requests} requests refused`);
		if (refusals.slowReader > 0) throw new Error('a client was closed, although it was only sent what it requested');
	},
};
