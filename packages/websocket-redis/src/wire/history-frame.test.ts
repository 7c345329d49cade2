import type { HistoryContent, HistoryEntry, HistorySlice } from '@orijs/websocket';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeHistory, encodeContent } from './history-frame.ts';

const HIGHEST = Number.MAX_SAFE_INTEGER;

function headOf({ epoch, last, beginning }: Pick<HistorySlice, 'epoch' | 'last' | 'beginning'>): Buffer {
	const { store, after } = beginning ?? { store: '', after: 0 };
	const storeAt = 12 + epoch.length;
	const head = Buffer.alloc(storeAt + (store === '' ? 0 : store.length + 8));
	head.set([0x48, 1, epoch.length]);
	head.write(epoch, 3, 'latin1');
	head.writeDoubleBE(last, 3 + epoch.length);
	head[storeAt - 1] = store.length;
	if (store === '') return head;
	head.write(store, storeAt, 'latin1');
	head.writeDoubleBE(after, storeAt + store.length);
	return head;
}

function entryOf({ offset, prev, timestamp, content }: HistoryEntry): Buffer {
	const stored = Buffer.from(encodeContent(content));
	const entry = Buffer.alloc(28);
	[offset, prev, timestamp].forEach((value, i) => entry.writeDoubleBE(value, 8 * i));
	entry.writeUInt32BE(stored.length, 24);
	return Buffer.concat([entry, stored]);
}

/** Encodes a slice as the scripts on the server do. */
function frameOf(slice: HistorySlice): Buffer {
	return Buffer.concat([headOf(slice), ...slice.entries.map(entryOf)]);
}

/** Any UTF-16 code units, including lone surrogates. */
const anyText = fc.oneof(
	fc.string({ unit: 'grapheme' }),
	fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
	fc.constantFrom('', '\ud800', '\ufeffwith a byte order mark', '\0', 'é'.repeat(300)),
);
const anyContent: fc.Arbitrary<HistoryContent> = fc.oneof(anyText, fc.uint8Array({ maxLength: 300, size: 'max' }));
const anyEpoch = fc.string({
	unit: fc.constantFrom('A', 'Z', 'a', 'z', '0', '9', '_', '-', '.'),
	minLength: 1,
	maxLength: 255,
	size: 'max',
});
const anyEntry = fc.record({
	step: fc.integer({ min: 1, max: 2 ** 20 }),
	timestamp: fc.integer({ min: 0, max: HIGHEST }),
	content: anyContent,
});

/** A slice that starts at any offset, of a topic that may have later messages. */
const anySlice: fc.Arbitrary<HistorySlice> = fc
	.record({
		epoch: anyEpoch,
		beginning: fc.option(fc.record({ store: anyEpoch, after: fc.integer({ min: 0, max: HIGHEST }) }), {
			nil: undefined,
		}),
		start: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 52 })),
		messages: fc.array(anyEntry, { maxLength: 6, size: 'max' }),
		since: fc.nat(),
	})
	.map(({ epoch, beginning, start, messages, since }) => {
		let prev = start;
		const entries = messages.map(({ step, timestamp, content }) => {
			const entry = { offset: prev + step, prev, timestamp, content };
			prev = entry.offset;
			return entry;
		});
		return { epoch, beginning, last: prev + since, entries };
	});

/** Returns the expected result of a read: text as far as UTF-8 can represent it, bytes as numbers. */
function plain(slice: HistorySlice | undefined): unknown {
	if (slice === undefined) return undefined;
	const entries = slice.entries.map(({ content, ...place }) => ({
		...place,
		content: typeof content === 'string' ? content.toWellFormed() : [...content],
	}));
	return { ...slice, entries };
}

const epoch = 'abcDEF_-09';
const twoEntries: HistorySlice = {
	epoch,
	beginning: { store: 'GHIjkl', after: 7 },
	last: 30,
	entries: [
		{ offset: 10, prev: 4, timestamp: 1_000, content: 'öne' },
		{ offset: 30, prev: 10, timestamp: 1_001, content: new Uint8Array([1, 2, 3]) },
	],
};

describe('a history frame', () => {
	it('is read with the same epoch, offsets and messages', () => {
		fc.assert(
			fc.property(anySlice, (slice) => {
				expect(plain(decodeHistory(frameOf(slice)))).toEqual(plain(slice));
			}),
			{ numRuns: 500 },
		);
	});

	it('is read the same from the middle of a larger buffer', () => {
		fc.assert(
			fc.property(anySlice, fc.nat(40), (slice, at) => {
				const frame = frameOf(slice);
				const larger = Buffer.alloc(at + frame.length + 9, 0xff);
				larger.set(frame, at);
				expect(plain(decodeHistory(larger.subarray(at, at + frame.length)))).toEqual(plain(slice));
			}),
		);
	});

	it('has the documented layout: marker, version, epoch, last offset, beginning, entries', () => {
		const head = ['4801', '0161', '4010000000000000'].join('');
		const entry = ['4008000000000000', '3ff0000000000000', '0000000000000000', '00000002', '5468'].join('');
		const entries = [{ offset: 3, prev: 1, timestamp: 0, content: 'h' }];
		expect(decodeHistory(Buffer.from(`${head}00${entry}`, 'hex'))).toEqual({ epoch: 'a', last: 4, entries });
		const beginning = { store: 'bc', after: 2 };
		expect(decodeHistory(Buffer.from(`${head}0262634000000000000000${entry}`, 'hex'))).toEqual({
			epoch: 'a',
			beginning,
			last: 4,
			entries,
		});
	});

	it('that ends early is rejected, whichever byte is the last', () => {
		const frame = frameOf(twoEntries);
		const [first, second] = twoEntries.entries.map((entry) => entryOf(entry).length);
		// A frame may end after any entry: the `prev` of the next message then shows that messages are missing.
		const whole = [frame.length - (first ?? 0) - (second ?? 0), frame.length - (second ?? 0), frame.length];
		const read = Array.from({ length: frame.length + 1 }, (_, length) => length).filter(
			(length) => decodeHistory(frame.subarray(0, length)) !== undefined,
		);
		expect(read).toEqual(whole);
	});

	it('with trailing bytes is rejected, whatever they are', () => {
		fc.assert(
			fc.property(anySlice, fc.uint8Array({ minLength: 1, maxLength: 60, size: 'max' }), (slice, trailing) => {
				expect(decodeHistory(Buffer.concat([frameOf(slice), trailing]))).toBeUndefined();
			}),
			{ numRuns: 500 },
		);
	});

	it('never makes the reader throw, whatever it contains', () => {
		fc.assert(
			fc.property(fc.uint8Array({ maxLength: 200, size: 'max' }), (bytes) => {
				decodeHistory(Buffer.from(bytes));
				decodeHistory(Buffer.from([0x48, 1, ...bytes]));
			}),
			{ numRuns: 500 },
		);
	});

	it('with one byte changed is rejected or still a valid history', () => {
		const frame = frameOf(twoEntries);
		fc.assert(
			fc.property(fc.nat(frame.length - 1), fc.integer({ min: 0, max: 255 }), (at, byte) => {
				const changed = Buffer.from(frame);
				changed[at] = byte;
				const slice = decodeHistory(changed);
				if (slice === undefined) return;
				let before = slice.entries[0]?.prev ?? 0;
				for (const { offset, prev } of slice.entries) {
					expect(prev).toBe(before);
					expect(offset).toBeGreaterThan(prev);
					before = offset;
				}
				expect(slice.last).toBeGreaterThanOrEqual(before);
			}),
			{ numRuns: 2_000 },
		);
	});

	const entry: HistoryEntry = { offset: 10, prev: 4, timestamp: 1_000, content: 'x' };
	const one = (changes: Partial<HistoryEntry>, last = 30): Buffer =>
		frameOf({ epoch, last, entries: [{ ...entry, ...changes }] });
	const changed = (at: number, byte: number): Buffer => {
		const frame = one({});
		frame[at] = byte;
		return frame;
	};

	it('without the changes below is valid', () => {
		expect(decodeHistory(one({}))).toEqual({ epoch, last: 30, entries: [entry] });
	});

	it.each([
		['another marker', changed(0, 0x47)],
		['a later version', changed(1, 2)],
		['an earlier version', changed(1, 0)],
		['an empty epoch', frameOf({ epoch: '', last: 30, entries: [entry] })],
		['an unknown kind of content', changed(one({}).length - 2, 0x55)],
		['content without a kind', Buffer.concat([headOf(twoEntries), entryOf(entry).subarray(0, 24), Buffer.alloc(4)])],
		['an offset that is not above the previous one', one({ offset: 4 })],
		['an offset above the last', one({ offset: 31 })],
		['a fractional offset', one({ offset: 10.5 })],
		['an offset that is not a safe integer', one({ offset: 2 ** 53 }, 2 ** 53)],
		['an offset of NaN', one({ offset: Number.NaN })],
		['a negative offset', one({ prev: -1 })],
		['a beginning after a fraction', frameOf({ ...twoEntries, beginning: { store: 's', after: 0.5 } })],
		['a beginning after NaN', frameOf({ ...twoEntries, beginning: { store: 's', after: Number.NaN } })],
		['an infinite last offset', one({}, Number.POSITIVE_INFINITY)],
		['a last offset of NaN', one({}, Number.NaN)],
		['a timestamp of NaN', one({ timestamp: Number.NaN })],
		['a negative timestamp', one({ timestamp: -1 })],
		['a gap between entries', frameOf({ epoch, last: 30, entries: [entry, { ...entry, offset: 20, prev: 15 }] })],
		['the same entry twice', frameOf({ epoch, last: 30, entries: [entry, entry] })],
		['entries in the wrong order', frameOf({ ...twoEntries, entries: twoEntries.entries.toReversed() })],
	])('with %s is rejected', (_, frame) => {
		expect(decodeHistory(frame)).toBeUndefined();
	});
});
