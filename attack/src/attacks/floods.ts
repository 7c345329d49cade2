import { frame, Opcode, until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { keepSending, message, repeat } from '../flood.ts';

/** Sends the same frames as fast as the server reads them. */
function flood(name: string, title: string, bytes: Buffer): Attack {
	return {
		name,
		title,
		bounds: { peakMib: 128, cpuShare: 0.5 },
		async run(target, size) {
			const sockets = await target.openMany(size(5, 2));
			await keepSending(target, sockets, { bytes, seconds: size(5, 2) });
			await until(() => sockets.every(({ isClosed }) => isClosed), { what: 'the flooding clients are disconnected' });
		},
	};
}

export const messageFlood: Attack = flood('message-flood', 'messages, as fast as possible', repeat(frame('1'), 2_000));
export const typedFlood: Attack = flood(
	'typed-flood',
	'typed messages, as fast as possible',
	repeat(message('echo', 'x', 'r'), 500),
);
export const pingFlood: Attack = flood(
	'ping-flood',
	'pings, as fast as possible',
	repeat(frame('', { opcode: Opcode.ping }), 5_000),
);
export const pongFlood: Attack = flood(
	'pong-flood',
	'unsolicited pongs, as fast as possible',
	repeat(frame('', { opcode: Opcode.pong }), 5_000),
);
