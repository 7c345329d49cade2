import { frame, Opcode, type ScriptProcess, spawnBun, until } from '@orijs/testkit';
import { CloseCode } from '@orijs/websocket/protocol';
import { describe, expect, it } from 'vitest';
import { connectDeflatingPlain, deflated, deflatedFrame } from './test-support/deflating-client.ts';
import type { DeflatingServer } from './test-support/deflating-process.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
/** What a connection may take; the server of the test also allocates what all of them share. */
const MAX_GROWTH = 8 * MIB;
/** 100 MiB, in 99.5 KiB on the wire; 60 MiB, in 59.8 KiB. */
const BOMB = Buffer.alloc(100 * MIB);
const SMALL_BOMB = Buffer.alloc(60 * MIB);

/** Starts a server in a process of its own, so that its memory can be measured. */
async function start(settings: { messageBytes?: number } = {}) {
	const script = new URL('./test-support/deflating-process.ts', import.meta.url);
	const server: ScriptProcess = spawnBun(script, { args: [JSON.stringify(settings)] });
	const state = (): Promise<DeflatingServer> => server.request<DeflatingServer>('state');
	const { port } = await state();
	// The first connection causes allocations that all share.
	const first = await connectDeflatingPlain(port);
	first.write(deflatedFrame('x'.repeat(KIB)));
	await until(async () => (await state()).received.length === 1, { what: 'the server is warm' });
	return { port, state, before: await state() };
}

describe('a compressed message that inflates beyond limits.messageBytes', () => {
	it.each<[string, () => Uint8Array]>([
		['of 100 MiB', () => deflatedFrame(BOMB)],
		['of 60 MiB, within limits.messageBytes on the wire', () => deflatedFrame(SMALL_BOMB)],
		['of one byte too many', () => deflatedFrame(Buffer.alloc(64 * KIB + 1))],
		['in fragments', () => fragmented(deflated(SMALL_BOMB))],
	])('%s is refused with 1009 before its memory is used', async (_, bytes) => {
		const { port, state, before } = await start();
		const client = await connectDeflatingPlain(port);
		client.write(bytes());
		await client.closed();
		const { peak, received, refusals } = await state();

		expect(client.close).toEqual({ code: CloseCode.messageTooBig, reason: 'Received too big message' });
		expect([received, refusals.messageSize]).toEqual([[KIB], 1]);
		expect((peak - before.peak) / MIB).toBeLessThan(MAX_GROWTH / MIB);
	});

	it('is one that exceeds the endpoint’s own limit, whatever that is', async () => {
		const { port, state } = await start({ messageBytes: MIB });
		const client = await connectDeflatingPlain(port);
		client.write(deflatedFrame(Buffer.alloc(MIB)));
		client.write(deflatedFrame(Buffer.alloc(MIB + 1)));
		await client.closed();

		expect(client.close?.code).toBe(CloseCode.messageTooBig);
		expect((await state()).received).toEqual([KIB, MIB]);
	});
});

it('many compressed messages that each inflate to the limit are bounded by bytesPerSecond, also while they wait', async () => {
	const { port, state, before } = await start();
	const full = deflatedFrame(Buffer.alloc(64 * KIB));
	const client = await connectDeflatingPlain(port);
	// All in one read of Bun: 32 MiB, in 43 KiB on the wire.
	client.write(Buffer.concat([frame('hang'), ...Array.from({ length: 512 }, () => full)]));
	await client.closed();
	const { peak, received, refusals } = await state();

	expect(client.close?.code).toBe(CloseCode.tooManyMessages);
	expect([received, refusals.flood]).toEqual([[KIB, 'hang'.length], 1]);
	expect((peak - before.peak) / MIB).toBeLessThan(MAX_GROWTH / MIB);
});

function fragmented(payload: Buffer): Buffer {
	const step = KIB;
	const frames: Buffer[] = [];
	for (let at = 0; at < payload.length; at += step) {
		const isFirst = at === 0;
		const options = {
			opcode: isFirst ? Opcode.binary : Opcode.continuation,
			reservedBits: isFirst ? 4 : 0,
			fin: at + step >= payload.length,
		};
		frames.push(frame(payload.subarray(at, at + step), options));
	}
	return Buffer.concat(frames);
}
