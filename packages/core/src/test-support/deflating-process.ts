// A server that compresses, in its own process. On request it reports its memory and what became of its connections.

import { readFileSync } from 'node:fs';
import { answerRequests } from '@orijs/testkit';
import { Application, type RefusalCounts } from '../index.ts';

export interface DeflatingServer {
	readonly port: number;
	/** The highest resident memory so far, in bytes. */
	readonly peak: number;
	/** The sizes of the messages that have reached the handler, in bytes. */
	readonly received: readonly number[];
	readonly refusals: RefusalCounts;
}

const { messageBytes } = JSON.parse(process.argv[2] ?? '{}') as { messageBytes?: number };
const quiet = { debug() {}, info() {}, warn() {}, error() {} };
const received: number[] = [];
const never = new Promise<never>(() => {});

const app = new Application({ logger: quiet, signals: false })
	.websocket({
		perMessageDeflate: true,
		...(messageBytes !== undefined && { limits: { messageBytes } }),
	})
	.onWebSocket({
		message(_, message) {
			received.push(Buffer.byteLength(message));
			return String(message) === 'hang' ? never : undefined;
		},
	});
const { port } = await app.listen(0);

answerRequests(() => {
	const peakKiB = Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]);
	return {
		port: port as number,
		peak: peakKiB * 1024,
		received: [...received],
		refusals: app.refusals,
	} satisfies DeflatingServer;
});
