import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeFrame, encodePresenceHeader, randomOrigin } from './frame.ts';
import {
	encodePresenceFrame,
	type PresenceContent,
	type PresenceFrameChange,
	PRESENCE_KINDS,
	readPresence,
} from './presence-frame.ts';

const anyText = fc.string({ unit: fc.constantFrom('a', '"', '\0', 'é', '語', '\u{1f511}'), maxLength: 12 });

const anyChange: fc.Arbitrary<PresenceFrameChange> = fc.record({
	kind: fc.constantFrom(...PRESENCE_KINDS),
	key: anyText,
	connections: fc.nat(0xffffffff),
	since: fc.maxSafeNat(),
	info: fc.option(anyText, { nil: undefined }),
});

const anyContent: fc.Arbitrary<PresenceContent> = fc.record({
	epoch: fc.string({ unit: fc.constantFrom('a', 'Z', '0', '-', '_'), minLength: 8, maxLength: 8 }),
	n: fc.maxSafeNat(),
	count: fc.nat(0xffffffff),
	changes: fc.option(fc.array(anyChange, { maxLength: 5 }), { nil: undefined }),
});

const CONTENT: PresenceContent = {
	epoch: 'abcdefgh',
	n: 3,
	count: 2,
	changes: [
		{ kind: 'joined', key: 'user:é', connections: 1, since: 5, info: '{}' },
		{ kind: 'left', key: 'k', connections: 2, since: 6, info: undefined },
	],
};

/** Returns a frame without its header. */
function bodyOf(content: PresenceContent): Buffer {
	return encodePresenceFrame(new Uint8Array(0), content);
}

describe('a presence frame', () => {
	it('carries what has changed, after the header of all frames', () => {
		const sender = { origin: randomOrigin(), shard: 3, incarnation: 7 };
		fc.assert(
			fc.property(anyContent, (content) => {
				const frame = encodePresenceFrame(encodePresenceHeader(sender), content);
				expect(decodeFrame(frame, sender.origin)).toEqual({ type: 'presence', ...sender, ...content });
			}),
		);
	});

	it('has the documented layout', () => {
		const changes = CONTENT.changes?.slice(0, 1);
		expect(bodyOf({ ...CONTENT, changes }).toString('hex')).toBe(
			[
				'00', // flags
				Buffer.from('abcdefgh').toString('hex'),
				'4008000000000000', // n
				'00000002', // count
				'0001', // number of changes
				'00', // joined
				'00000001', // connections
				'4014000000000000', // since
				'0007' + Buffer.from('user:é').toString('hex'),
				'0003' + Buffer.from('{}').toString('hex'),
			].join(''),
		);
		expect(bodyOf({ ...CONTENT, changes: undefined })).toHaveLength(23);
		expect(bodyOf({ ...CONTENT, changes: undefined })[0]).toBe(1);
		expect(encodePresenceHeader({ origin: 1, shard: 0, incarnation: 0 })[1]).toBe(7);
	});

	it('tells no info from empty info', () => {
		const [first, second] = ['', undefined].map((info) => {
			const change = { kind: 'updated', key: 'k', connections: 1, since: 1, info } as const;
			return readPresence(bodyOf({ ...CONTENT, changes: [change] }), 0)?.changes?.[0];
		});
		expect([first?.info, second?.info]).toEqual(['', undefined]);
	});

	it('carries the largest info and key', () => {
		const change = {
			kind: 'joined',
			key: 'é'.repeat(550),
			connections: 1,
			since: 1,
			info: 'x'.repeat(16_384),
		} as const;
		const content = { ...CONTENT, changes: Array.from({ length: 100 }, () => change) };
		expect(readPresence(bodyOf(content), 0)).toEqual(content);
	});

	it('is malformed wherever it is cut off, and with anything after it', () => {
		const body = bodyOf(CONTENT);
		for (let length = 0; length < body.length; length++) {
			expect(readPresence(body.subarray(0, length), 0), `${length} bytes`).toBeUndefined();
		}
		expect(readPresence(Buffer.concat([body, Buffer.of(0)]), 0)).toBeUndefined();
		expect(readPresence(body, 0)).toEqual(CONTENT);
	});

	it('is malformed with a change of an unknown kind', () => {
		const body = bodyOf(CONTENT);
		body[23] = 3;
		expect(readPresence(body, 0)).toBeUndefined();
	});

	it('can be read from any bytes without an error', () => {
		const body = bodyOf(CONTENT);
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
				readPresence(Buffer.from(bytes), 0);
			}),
		);
		fc.assert(
			fc.property(fc.nat(body.length - 1), fc.nat(255), (at, value) => {
				const changed = Buffer.from(body);
				changed[at] = value;
				readPresence(changed, 0);
			}),
			{ numRuns: 2_000 },
		);
	});
});
