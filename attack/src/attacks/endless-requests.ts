import { connect, type Socket } from 'node:net';
import { frame, HANDSHAKE, Opcode, until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { keepSending, repeat } from '../flood.ts';

/** Opens connections that send one text and nothing more. */
function neverFinished(name: string, title: string, text: string): Attack {
	return {
		name,
		title,
		bounds: { peakMib: 96 },
		async run(target, size) {
			let connected = 0;
			let ended = 0;
			const sockets: Socket[] = Array.from({ length: size(1_000, 200) }, () => {
				const socket = connect({ host: '127.0.0.1', port: target.port }, () => {
					connected++;
					target.sentBytes += text.length;
					socket.write(text);
				});
				socket.on('error', () => {});
				socket.on('close', () => ended++);
				return socket.resume();
			});
			try {
				await until(() => connected === sockets.length, { what: 'all are connected' });
				await until(() => ended === sockets.length, { what: 'the server has ended them all', timeoutMs: 20_000 });
			} finally {
				for (const socket of sockets) socket.destroy();
			}
		},
	};
}

export const endlessHandshakes: Attack = neverFinished(
	'endless-handshakes',
	'handshakes that are never finished',
	HANDSHAKE.slice(0, -40),
);

export const pendingUpgrades: Attack = neverFinished(
	'pending-upgrades',
	'handshakes whose upgrade() never decides',
	`${HANDSHAKE.replace('/ws', '/ws?hang').replace('Connection: Upgrade', 'Connection: close, Upgrade')}\r\n`,
);

export const endlessMessages: Attack = {
	name: 'endless-messages',
	title: 'fragments of messages that never end',
	bounds: { peakMib: 128 },
	async run(target, size) {
		const sockets = await target.openMany(size(20, 5));
		for (const socket of sockets) target.write(socket, frame('x', { fin: false }));
		const bytes = repeat(frame('x'.repeat(1_000), { opcode: Opcode.continuation, fin: false }), 20);
		await keepSending(target, sockets, { bytes, seconds: size(5, 2) });
		await until(() => sockets.every(({ isClosed }) => isClosed), { what: 'the server has closed them' });
	},
};
