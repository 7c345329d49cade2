import { frame } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { flushed } from '../flood.ts';

const BYTES = 65_000;
/** The largest part of a second's worth of bytes that is within the limits. */
const FRAMES_PER_SECOND = 14;
const FRAMES = 70;

const DATA = {
	text: `"${'x'.repeat(BYTES)}"`,
	objects: `[${Array(Math.floor(BYTES / 3))
		.fill('{}')
		.join(',')}]`,
	lists: `[${Array(Math.floor(BYTES / 3))
		.fill('[]')
		.join(',')}]`,
};

/** Messages of the largest size, queued behind a handler that takes long. */
function waitingMessages(kind: keyof typeof DATA): Attack {
	return {
		name: `waiting-${kind}`,
		title: `as many and as large messages as may wait for a handler; ${kind}`,
		// Of 20 clients: documented are 4 MiB of each; twice that if the text is kept with two bytes a character.
		bounds: { peakMib: 300 },
		async run(target, size) {
			const sockets = await target.openMany(size(20, 8));
			const bytes = frame(`{"type":"wait","data":${DATA[kind]}}`);
			for (let i = 0; i < FRAMES; i++) {
				for (const socket of sockets) target.write(socket, bytes);
				await Bun.sleep(1_000 / FRAMES_PER_SECOND);
			}
			await Promise.race([Promise.all(sockets.map((socket) => flushed(socket))), Bun.sleep(2_000)]);
			const { rss } = await target.ask({ do: 'settle' });
			target.note(`${Math.round(rss / 2 ** 20)} MiB with all of them waiting`);
			for (const socket of sockets) socket.end();
			await target.ask({ do: 'release' });
		},
	};
}

export const waitingText: Attack = waitingMessages('text');
export const waitingObjects: Attack = waitingMessages('objects');
export const waitingLists: Attack = waitingMessages('lists');
