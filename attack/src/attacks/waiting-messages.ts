import { frame } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { flushed } from '../flood.ts';

const BYTES = 65_000;
/** The number of frames per second just within the limit on bytes. */
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

/** Messages of the maximum size, queued behind a slow handler. */
function waitingMessages(kind: keyof typeof DATA): Attack {
	return {
		name: `waiting-${kind}`,
		title: `as many messages as may wait for a handler, each of the maximum size; ${kind}`,
		// 20 clients of 4 MiB each, as documented; twice that for text with two bytes per character.
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
