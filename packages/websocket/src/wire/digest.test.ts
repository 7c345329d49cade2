import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type DigestEntry, encodeDigestBody, encodeEntry, ENTRY_BYTES, readDigest } from './digest.ts';
import { decodeFrame, encodeDigestHeader, randomOrigin } from './frame.ts';

const SENDER = { origin: randomOrigin(), shard: 3, incarnation: 7 };
const SKEWS = { least: -12.5, most: 1e9 };

const anyEntry: fc.Arbitrary<DigestEntry> = fc.record({
	origin: fc.maxSafeNat(),
	number: fc.nat(0xffffffff),
	incarnation: fc.nat(0xffffff),
	sentAt: fc.nat(2 ** 48 - 1),
	pauseMs: fc.nat(0xffff).map((each) => each * 10),
	counts: fc.record({ connections: fc.nat(0xffffff), topics: fc.nat(0xffffff) }),
	ageMs: fc.nat(0xffff).map((each) => each * 10),
	run: fc.nat(255),
});

function encodeDigest(isFull: boolean, entries: readonly DigestEntry[]): Buffer {
	const body = encodeDigestBody(
		isFull,
		entries.map(({ ageMs, run, ...own }) => ({ entry: encodeEntry(own), ageMs, run })),
	);
	return Buffer.concat([encodeDigestHeader(SENDER, SKEWS), body]);
}

const ENTRY: DigestEntry = {
	origin: 0x1f_02_03_04_05_06_07,
	number: 0x08090a0b,
	incarnation: 0x0c0d0e,
	sentAt: 0x0f1011121314,
	pauseMs: 0x1516 * 10,
	counts: { connections: 0x171819, topics: 0x1a1b1c },
	ageMs: 0x1d1e * 10,
	run: 0x1f,
};

describe('a digest', () => {
	it('carries what the server knows of each node', () => {
		fc.assert(
			fc.property(fc.boolean(), fc.array(anyEntry, { maxLength: 5 }), (isFull, entries) => {
				const decoded = decodeFrame(encodeDigest(isFull, entries), SENDER.origin);
				expect(decoded).toEqual({ type: 'digest', ...SENDER, skews: SKEWS, isFull, entries });
			}),
		);
	});

	it('has the documented layout', () => {
		const header = encodeDigestHeader(SENDER, SKEWS);
		const { ageMs, run, ...own } = ENTRY;
		const entry = encodeEntry(own);

		expect(header).toHaveLength(32);
		expect(header[1]).toBe(4);
		expect(entry).toHaveLength(ENTRY_BYTES);
		expect([...entry]).toEqual([0x1f, ...Array.from({ length: 27 }, (_, i) => i + 2)]);
		expect([...encodeDigestBody(true, [{ entry, ageMs, run }])]).toEqual([0, ...entry, 0x1d, 0x1e, 0x1f]);
		expect([...encodeDigestBody(false, [])]).toEqual([1]);
	});

	it('caps what does not fit', () => {
		const large = { ...ENTRY, pauseMs: Infinity, counts: { connections: 2 ** 30, topics: 2 ** 30 } };
		const body = encodeDigestBody(true, [{ entry: encodeEntry(large), ageMs: 1e9, run: 1e9 }]);
		const decoded = readDigest(Buffer.concat([Buffer.alloc(16), body]), 0);

		expect(decoded?.entries).toEqual([
			{ ...ENTRY, pauseMs: 655_350, counts: { connections: 0xffffff, topics: 0xffffff }, ageMs: 655_350, run: 255 },
		]);
	});

	it('takes a negative age, of a server whose clock was set back, for none', () => {
		const body = encodeDigestBody(true, [{ entry: encodeEntry(ENTRY), ageMs: -5_000, run: 1 }]);

		expect(readDigest(Buffer.concat([Buffer.alloc(16), body]), 0)?.entries[0]?.ageMs).toBe(0);
	});

	it('is malformed if it is cut off, or of an unknown kind', () => {
		const digest = encodeDigest(true, [ENTRY]);
		for (let length = 16; length < digest.length; length++) {
			if (length === 33) continue; // a digest without entries
			expect(decodeFrame(digest.subarray(0, length), 1)).toBe('malformed');
		}
		digest[32] = 2;
		expect(decodeFrame(digest, 1)).toBe('malformed');
	});
});
