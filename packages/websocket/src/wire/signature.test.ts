import { createHmac } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeDigestBody } from './digest.ts';
import { encodeBeat, encodeDigestHeader, encodeGap, encodeMessages, encodeSilence, type Sender } from './frame.ts';
import { ForNode } from './frame-messages.ts';
import { FrameSignatures } from './signature.ts';

const NOW = 10_000_000;
const MINUTE = 60_000;
const SECRET = Buffer.from('a secret of at least 32 characters');
const OTHER = Buffer.from('another one, also long enough for it');

const sender: Sender = { origin: 7, shard: 0, incarnation: 0 };
const beatOf = ({ shard = 0, origin = 7 } = {}): Buffer =>
	encodeBeat(
		{ origin, shard, incarnation: 0 },
		{
			number: 1,
			intervalMs: 500,
			sentAt: NOW,
			isLast: false,
			skews: { least: 0, most: 0 },
			endsShared: false,
			pauseMs: 500,
			run: 1,
			sharedFrom: 1,
			counts: { connections: 0, topics: 0 },
		},
	);
const beat = beatOf();

interface Settings {
	secrets?: readonly Buffer[];
	namespace?: string;
	acceptsUnsigned?: boolean;
}

function node({ secrets = [SECRET], namespace = 'app:', acceptsUnsigned = false }: Settings = {}): FrameSignatures {
	const signatures = new FrameSignatures(secrets, acceptsUnsigned);
	signatures.open(namespace);
	return signatures;
}

beforeEach(() => vi.useFakeTimers({ now: NOW }));
afterEach(() => vi.useRealTimers());

describe('a signature', () => {
	it('has the documented form', () => {
		const signer = node();
		signer.sign('!', beat);
		const signed = Buffer.from(signer.sign('!é', beat));

		const macAt = signed.length - 16;
		const key = createHmac('sha256', SECRET).update('orijs frame 1:app:').digest();
		const mac = createHmac('sha256', key).update('2:!é').update(signed.subarray(0, macAt)).digest();
		expect(signed.subarray(macAt)).toEqual(mac.subarray(0, 16));
		expect(signed.readDoubleBE(beat.length + 8)).toBe(2);
		expect(signed.readDoubleBE(beat.length + 16)).toBe(NOW);
		expect(signed.length).toBe(beat.length + 40);
		expect(signed[1]).toBe(0x81);
		expect(signed.subarray(2, beat.length)).toEqual(beat.subarray(2));
	});

	it('is on all that acts on nodes', () => {
		const [signer, receiver] = [node(), node()];
		const frames: [string, Buffer][] = [
			['!', beat],
			['t', encodeGap(sender, { everything: false, stored: false, misled: false, since: 1, until: 2, sentAt: 3 })],
			['!', encodeSilence({ ...sender, number: 1, intervalMs: 500, sentAt: NOW, silentMs: 1 })],
			['!a-node', encodeMessages(sender, ['to a node'])],
			['@a-socket', encodeMessages(sender, ['to a socket', new ForNode('to its node')])],
			['*', encodeMessages(sender, [new ForNode('to all nodes')])],
		];
		for (const [channel, frame] of frames) {
			expect(receiver.check(channel, frame)).toBe('unsigned');
			expect(receiver.check(channel, signer.sign(channel, frame))).toBeUndefined();
		}
	});

	it('is not on messages for sockets, which stay the very same bytes', () => {
		const [signer, receiver] = [node(), node()];
		const frame = encodeMessages(sender, ['text', new Uint8Array([1])]);
		for (const channel of ['t', '@a-socket', '*']) {
			expect(signer.sign(channel, frame)).toBe(frame);
			expect(receiver.check(channel, frame)).toBeUndefined();
		}
	});

	it('is not on digests, which the backend makes', () => {
		const digest = Buffer.concat([encodeDigestHeader(sender, { least: 0, most: 0 }), encodeDigestBody(true, [])]);
		expect(node().sign('!', digest)).toBe(digest);
		expect(node().check('!', digest)).toBeUndefined();
	});

	it('is wrong if any bit of the frame is changed', () => {
		const signed = Buffer.from(node().sign('!', beat));
		const receiver = node();
		for (let bit = 8; bit < signed.length * 8; bit++) {
			const changed = Buffer.from(signed);
			changed[bit >> 3] = (changed[bit >> 3] as number) ^ (1 << (bit & 7));
			expect(receiver.check('!', changed)).toBe(bit === 15 ? 'unsigned' : 'forged');
		}
		expect(receiver.check('!', signed)).toBeUndefined();
	});

	it('is wrong on another channel, in another namespace, and with another secret', () => {
		const signed = node().sign('!a', beat);
		expect(node().check('!b', signed)).toBe('forged');
		expect(node().check('!', signed)).toBe('forged');
		expect(node({ namespace: 'app:#1:' }).check('!a', signed)).toBe('forged');
		expect(node({ secrets: [OTHER] }).check('!a', signed)).toBe('forged');
		expect(node().check('!a', signed)).toBeUndefined();
	});

	it('is found from the middle of a larger buffer', () => {
		const signed = node().sign('!', beat);
		const larger = new Uint8Array(signed.length + 20).fill(9);
		larger.set(signed, 7);
		expect(node().check('!', larger.subarray(7, 7 + signed.length))).toBeUndefined();
	});

	it('is not looked for in a frame that cannot be read', () => {
		const signed = Buffer.from(node().sign('!', beat));
		const future = Buffer.from(signed);
		future[0] = 2;
		for (const frame of [Buffer.alloc(0), Buffer.from([1]), Buffer.from([1, 0x81]), signed.subarray(0, 55), future])
			expect(node().check('!', frame)).toBeUndefined();
	});
});

describe('several secrets', () => {
	it('the first signs, and all are accepted', () => {
		const both = node({ secrets: [OTHER, SECRET] });
		expect(both.check('!', node({ secrets: [SECRET] }).sign('!', beat))).toBeUndefined();
		expect(node({ secrets: [OTHER] }).check('!', both.sign('!', beat))).toBeUndefined();
		expect(node({ secrets: [SECRET] }).check('!', both.sign('!', beat))).toBe('forged');
	});
});

describe('a frame without a signature', () => {
	it('is accepted on request, but a wrong signature is not', () => {
		const lenient = node({ acceptsUnsigned: true });
		expect(lenient.check('!', beat)).toBeUndefined();
		expect(lenient.check('!', node({ secrets: [OTHER] }).sign('!', beat))).toBe('forged');
	});
});

describe('a frame that is played again', () => {
	it('is not accepted twice', () => {
		const [signer, receiver] = [node(), node()];
		const [first, second] = [signer.sign('!', beat), signer.sign('!', beat)];
		expect([first, second, first, second].map((frame) => receiver.check('!', frame))).toEqual([
			undefined,
			undefined,
			'replayed',
			'replayed',
		]);
	});

	it('is told from one that was overtaken by up to 255 others', () => {
		const [signer, receiver] = [node(), node()];
		const [lost, overtaken, ...others] = Array.from({ length: 257 }, () => signer.sign('!', beat));
		for (const frame of others) expect(receiver.check('!', frame)).toBeUndefined();
		expect(receiver.check('!', overtaken as Uint8Array)).toBeUndefined();
		expect(receiver.check('!', lost as Uint8Array)).toBe('replayed');
	});

	it('is recognized by the node that has signed it: silences name another one as their origin', () => {
		const silence = encodeSilence({ ...sender, number: 1, intervalMs: 500, sentAt: NOW, silentMs: 1 });
		const [silent, b, c, receiver] = [node(), node(), node(), node()];
		for (let i = 0; i < 300; i++)
			for (const other of [b, c]) expect(receiver.check('!', other.sign('!', silence))).toBeUndefined();
		expect(receiver.check('!', silent.sign('!', beat))).toBeUndefined();
	});

	it('is recognized by shard, because shards deliver at their own pace', () => {
		const [signer, receiver] = [node(), node()];
		const slow = signer.sign('!', beatOf({ shard: 1 }));
		for (let i = 0; i < 300; i++) receiver.check('!', signer.sign('!', beat));
		expect(receiver.check('!', slow)).toBeUndefined();
		expect(receiver.check('!', slow)).toBe('replayed');
	});

	it('is too old after a minute, also for a node that has not received it before or has forgotten the sender', () => {
		const [signer, receiver] = [node(), node()];
		const [received, held] = [signer.sign('!', beat), signer.sign('!', beat)];
		expect(receiver.check('!', received)).toBeUndefined();
		vi.advanceTimersByTime(MINUTE);
		expect(node().check('!', held)).toBeUndefined();
		vi.advanceTimersByTime(1);
		expect(node().check('!', held)).toBe('replayed');
		vi.advanceTimersByTime(10 * MINUTE);
		const newcomer = beatOf({ origin: 8 });
		expect(receiver.check('!', node().sign('!', newcomer))).toBeUndefined();
		expect(receiver.check('!', received)).toBe('replayed');
		expect(receiver.check('!', signer.sign('!', beat))).toBeUndefined();
	});

	it('from the future is remembered until it is too old, whatever else the sender does', () => {
		const [signer, receiver] = [node(), node()];
		vi.setSystemTime(NOW + MINUTE);
		const early = signer.sign('!', beat);
		vi.setSystemTime(NOW);
		expect(receiver.check('!', early)).toBeUndefined();
		vi.advanceTimersByTime(2 * MINUTE);
		const newcomer = encodeMessages({ ...sender, origin: 8 }, [new ForNode('x')]);
		expect(receiver.check('*', node().sign('*', newcomer))).toBeUndefined();
		expect(receiver.check('!', early)).toBe('replayed');
	});

	it('of a clock that is more than a minute ahead is not accepted', () => {
		vi.setSystemTime(NOW + MINUTE + 1);
		const early = node().sign('!', beat);
		vi.setSystemTime(NOW);
		expect(node().check('!', early)).toBe('replayed');
	});
});
