import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameCounter } from './frames.ts';

/** Returns an unmasked frame, as a server sends it. */
function serverFrame(length: number): Buffer {
	const header = Buffer.alloc(length < 126 ? 2 : length < 65_536 ? 4 : 10);
	header[0] = 0x81;
	if (length < 126) header[1] = length;
	else if (length < 65_536) header.writeUInt16BE(length, 2);
	else header.writeBigUInt64BE(BigInt(length), 2);
	if (length >= 126) header[1] = length < 65_536 ? 126 : 127;
	return Buffer.concat([header, Buffer.alloc(length, 0x7f)]);
}

describe('frame counter', () => {
	it('counts each frame once complete, however the stream is split', () => {
		const length = fc.oneof(fc.constantFrom(0, 1, 125, 126, 127, 65_535, 65_536), fc.nat(300));
		fc.assert(
			fc.property(fc.array(length, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (lengths, cuts) => {
				const bytes = Buffer.concat(lengths.map(serverFrame));
				const places = cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b);
				const counter = new FrameCounter();
				let counted = 0;
				let ends = 0;
				const wholeBy = lengths.map((size) => (ends += serverFrame(size).length));
				for (const [index, end] of [...places, bytes.length].entries()) {
					counted += counter.countIn(bytes.subarray(places[index - 1] ?? 0, end));
					expect(counted).toBe(wholeBy.filter((whole) => whole <= end).length);
				}
			}),
			{ numRuns: 200 },
		);
	});
});
