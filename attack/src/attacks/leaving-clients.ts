import { frame } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { flushed, message } from '../flood.ts';

const AT_ONCE = 50;

/** Sends one message from each of many clients, which leave while their message is handled. */
function leaving(name: string, title: string, bytes: Buffer): Attack {
	return {
		name,
		title,
		bounds: { peakMib: 96 },
		async run(target, size) {
			for (let left = size(2_000, 400); left > 0; left -= AT_ONCE) {
				const sockets = await target.openMany(AT_ONCE);
				for (const socket of sockets) target.write(socket, bytes);
				await Promise.all(sockets.map((socket) => flushed(socket)));
				for (const socket of sockets) socket.end();
			}
		},
	};
}

export const leavingClients: Attack = leaving(
	'leaving-clients',
	'clients that leave while their message is handled',
	message('work', 'x'),
);

export const leavingRawClients: Attack = leaving(
	'leaving-raw-clients',
	'the same, with messages that are not typed',
	frame('x'),
);
