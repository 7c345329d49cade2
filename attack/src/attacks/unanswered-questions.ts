import { frame, until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { message, sendSteadily } from '../flood.ts';

export const unansweredQuestions: Attack = {
	name: 'unanswered-questions',
	title: 'clients that answer no request of the server, while sending large messages',
	bounds: { peakMib: 300 },
	async run(target, size) {
		const sockets = await target.openMany(size(20, 8));
		for (const socket of sockets) target.write(socket, message('ask', 'x'));
		await until(() => sockets.every(({ texts }) => texts.length > 0), { what: 'all were asked' });
		const bytes = frame(`{"type":"wait","data":[${Array(21_000).fill('{}').join(',')}]}`);
		await sendSteadily(target, sockets, { bytes: () => bytes, perSecond: 14, seconds: size(8, 4) });
		for (const socket of sockets) socket.end();
		await target.ask({ do: 'release' });
	},
};
