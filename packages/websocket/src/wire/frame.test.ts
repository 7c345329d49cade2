import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
	decodeFrame as decode,
	encodeBeat,
	encodeGap,
	encodeHello,
	encodeMessages,
	encodeSilence,
	type FrameFault,
	type Origin,
	randomOrigin,
} from './frame.ts';
import { Except, ForNode, type Message, MistakableText } from './frame-messages.ts';

const here = randomOrigin();
const elsewhere = randomOrigin();
const HEADER_BYTES = 16;

const encodeFrame = (origin: Origin, messages: readonly Message[]): Buffer =>
	encodeMessages({ origin, shard: 3, incarnation: 7 }, messages);

function decodeFrame(bytes: Uint8Array, self: Origin): readonly Message[] | 'echo' | 'control' | FrameFault {
	const frame = decode(bytes, self);
	if (typeof frame === 'string') return frame;
	return frame.type === 'messages' ? frame.messages : 'control';
}

/** Any UTF-16 code units, including lone surrogates. */
const anyString = fc.oneof(
	fc.string(),
	fc.string({ unit: 'grapheme' }),
	fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
	fc.constantFrom('', '\ud800', '\udc00x', '\ufeffwith a byte order mark', '\0', 'é'.repeat(300)),
);
const anyMessage = fc.oneof(
	anyString,
	fc.uint8Array({ maxLength: 300, size: 'max' }),
	anyString.map((text) => new ForNode(text)),
	anyString.map((text) => new MistakableText(text)),
	fc.array(fc.uuid({ version: 4 }), { maxLength: 3 }).map((ids) => new Except(ids)),
);
const anyMessages = fc.array(anyMessage, { maxLength: 8, size: 'max' });

type Plain =
	| string
	| number[]
	| { readonly forNode: string }
	| { readonly mistakable: string }
	| { readonly except: readonly string[] };

/** The message that the other node must receive: text as far as UTF-8 can represent it, bytes as plain bytes. */
function expected(message: Message): Plain {
	if (message instanceof ForNode) return { forNode: message.text.toWellFormed() };
	if (message instanceof Except) return { except: message.socketIds };
	if (message instanceof MistakableText) return { mistakable: message.text.toWellFormed() };
	return typeof message === 'string' ? message.toWellFormed() : [...message];
}

function plain(messages: ReturnType<typeof decodeFrame>): string | Plain[] {
	if (typeof messages === 'string') return messages;
	return messages.map((message) => {
		if (message instanceof ForNode) return { forNode: message.text };
		if (message instanceof Except) return { except: message.socketIds };
		if (message instanceof MistakableText) return { mistakable: message.text };
		return typeof message === 'string' ? message : [...message];
	});
}

function isKnown(message: unknown): boolean {
	return [Uint8Array, ForNode, MistakableText, Except].some((kind) => message instanceof kind);
}

describe('a frame', () => {
	it('carries messages to another node unchanged and in order', () => {
		fc.assert(
			fc.property(anyMessages, (messages) => {
				expect(plain(decodeFrame(encodeFrame(elsewhere, messages), here))).toEqual(messages.map(expected));
			}),
			{ numRuns: 500 },
		);
	});

	it('carries a lone surrogate as U+FFFD and a byte order mark as it is', () => {
		const frame = encodeFrame(elsewhere, ['a\ud800b', '\udfff', '\ufeffx']);

		expect(decodeFrame(frame, here)).toEqual(['a\ufffdb', '\ufffd', '\ufeffx']);
	});

	it('keeps the halves of a character apart that end one message and begin the next', () => {
		const frame = encodeFrame(elsewhere, ['x\ud83d', '\ude00y', 'z\ud83d', '', '\ude00', '\ud83d\ude00']);

		expect(decodeFrame(frame, here)).toEqual(['x\ufffd', '\ufffdy', 'z\ufffd', '', '\ufffd', '\ud83d\ude00']);
	});

	it('holds more messages than one run can', () => {
		const many = Array.from({ length: 70_000 }, (_, i) => String(i % 10));
		expect(decodeFrame(encodeFrame(elsewhere, many), here)).toEqual(many);
		const binary = many.map((digit) => new Uint8Array([Number(digit)]));
		expect(decodeFrame(encodeFrame(elsewhere, binary), here)).toHaveLength(binary.length);
	});

	it('is decoded the same from the middle of a larger buffer', () => {
		const frame = encodeFrame(elsewhere, ['text', new Uint8Array([1, 2, 3]), '']);
		const larger = new Uint8Array(frame.length + 20).fill(0xff);
		larger.set(frame, 7);

		const decoded = decodeFrame(larger.subarray(7, 7 + frame.length), here);
		expect(plain(decoded)).toEqual(['text', [1, 2, 3], '']);
	});

	it('may have no messages', () => {
		expect(decodeFrame(encodeFrame(elsewhere, []), here)).toEqual([]);
	});

	it('has the documented layout: version, type, origin, shard, incarnation, then runs of texts and of bytes', () => {
		const frame = encodeFrame(elsewhere, ['hé', 'y', new Uint8Array([7])]);
		const origin = Buffer.alloc(8);
		origin.writeDoubleBE(elsewhere);

		const head = [1, 0, ...origin, 0, 3, 0, 0, 0, 7];
		const texts = [0, 0, 2, 0, 0, 0, 4, 0, 0, 0, 2, 0x68, 0xc3, 0xa9, 0x79];
		expect([...frame]).toEqual([...head, ...texts, 1, 0, 1, 0, 0, 0, 1, 7]);
	});

	it('holds the ids that a message skips in a run of their own before it, which costs other messages nothing', () => {
		const id = crypto.randomUUID().toUpperCase();
		const frame = encodeFrame(elsewhere, [new Except([id]), 'a', 'b']);
		const run = [4, 0, 1, 0, 0, 0, 36, ...Buffer.from(id)];

		expect([...frame.subarray(HEADER_BYTES)]).toEqual([...run, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0x61, 0x62]);
		expect(decodeFrame(frame.subarray(0, -13), here)).toEqual([new Except([id])]);
		const cut = Buffer.from([...frame.subarray(0, HEADER_BYTES), 4, 0, 1, 0, 0, 0, 35, ...Buffer.from(id).subarray(1)]);
		expect(decodeFrame(cut, here)).toBe('malformed');
	});

	it('holds each message for the node, and each mistakable text, in a run of its own', () => {
		const marked = [new ForNode('hé'), new ForNode(''), new MistakableText('{'), new MistakableText('{')];
		const frame = encodeFrame(elsewhere, ['a', ...marked, 'b']);

		const runs = [
			[0, 0, 1, 0, 0, 0, 1, 0x61],
			[2, 0, 1, 0, 0, 0, 3, 0x68, 0xc3, 0xa9],
			[2, 0, 1, 0, 0, 0, 0],
			[3, 0, 1, 0, 0, 0, 1, 0x7b],
			[3, 0, 1, 0, 0, 0, 1, 0x7b],
			[0, 0, 1, 0, 0, 0, 1, 0x62],
		];
		expect([...frame.subarray(HEADER_BYTES)]).toEqual(runs.flat());
	});

	it('names its sender and the sender’s connection', () => {
		const sender = { origin: elsewhere, shard: 65_535, incarnation: 2 ** 32 - 1 };
		expect(decode(encodeMessages(sender, ['x']), here)).toEqual({ type: 'messages', ...sender, messages: ['x'] });
	});

	it('can be a beat, a gap notice, a silence or a hello, and is decoded even if it is this node’s own', () => {
		const sender = { origin: here, shard: 0, incarnation: 1 };
		const beat = {
			number: 2 ** 40,
			intervalMs: 500,
			sentAt: Date.now() + 0.5,
			isLast: false,
			skews: { least: -1.5, most: 2 ** 40 },
			sharedFrom: 7,
			endsShared: false,
			pauseMs: 500,
			run: 1,
			counts: { connections: 2 ** 32 - 1, topics: 3 },
		};
		for (const each of [beat, { ...beat, isLast: true }, { ...beat, endsShared: true }])
			expect(decode(encodeBeat(sender, each), here)).toEqual({ type: 'beat', ...sender, ...each });
		for (const everything of [false, true])
			for (const stored of [false, true]) {
				const gap = { everything, stored, misled: stored !== everything, since: 1.5, until: 2 ** 42, sentAt: 3 };
				expect(decode(encodeGap(sender, gap), here)).toEqual({ type: 'gap', ...sender, ...gap });
			}
		const silence = { ...sender, number: 2 ** 40, intervalMs: 500, sentAt: 1.5, silentMs: 3_000 };
		expect(decode(encodeSilence(silence), here)).toEqual({ type: 'silence', ...silence });
		expect(decode(encodeHello(sender, '{"é":1}'), here)).toEqual({ type: 'hello', ...sender, text: '{"é":1}' });
	});
});

describe('an echo', () => {
	it('is a frame with messages from this node, whatever they are', () => {
		fc.assert(
			fc.property(anyMessages, (messages) => {
				expect(decodeFrame(encodeFrame(here, messages), here)).toBe('echo');
			}),
		);
	});

	it('is distinguished from a frame whose origin differs in a single bit', () => {
		for (let bit = 0; bit < 53; bit++) {
			const near = Number(BigInt(here) ^ (1n << BigInt(bit)));
			expect(decodeFrame(encodeFrame(near, ['x']), here)).toEqual(['x']);
		}
	});
});

describe('a frame that cannot be read', () => {
	it('is malformed when it was cut off, unless the cut is between two runs', () => {
		fc.assert(
			fc.property(anyMessages, (messages) => {
				const frame = encodeFrame(elsewhere, messages);
				const all = messages.map(expected);
				for (let length = HEADER_BYTES; length < frame.length; length++) {
					const decoded = plain(decodeFrame(frame.subarray(0, length), here));
					// If the part can be read, its messages are the first ones of those sent.
					if (decoded !== 'malformed') expect(decoded).toEqual(all.slice(0, Math.min(decoded.length, all.length - 1)));
				}
				for (let length = 0; length < HEADER_BYTES; length++) {
					const head = decodeFrame(frame.subarray(0, length), here);
					expect(head).toBe('malformed');
				}
			}),
		);
	});

	it('is malformed when its lengths exceed its content', () => {
		for (const messages of [
			['first', 'second'],
			[new Uint8Array(5), new Uint8Array(6)],
		]) {
			const frame = encodeFrame(elsewhere, messages);
			frame.writeUInt32BE(11, HEADER_BYTES + 7);
			expect(plain(decodeFrame(frame, here))).toHaveLength(2);
			frame.writeUInt32BE(12, HEADER_BYTES + 7);
			expect(decodeFrame(frame, here)).toBe('malformed');
			frame.writeUInt16BE(0, HEADER_BYTES + 1);
			expect(decodeFrame(frame, here)).toBe('malformed');
		}
	});

	it('has an unknown version when its first byte is not 1', () => {
		for (let version = 0; version < 256; version++) {
			if (version === 1) continue;
			const frame = encodeFrame(here, ['x']);
			frame[0] = version;
			expect(decodeFrame(frame, here)).toBe('unknown-version');
			expect(decodeFrame(frame.subarray(0, 1), here)).toBe('unknown-version');
		}
	});

	it('is malformed when a run of messages for the node, or of mistakable texts, holds more than one', () => {
		const frame = encodeFrame(elsewhere, ['a', 'b']);
		for (const kind of [2, 3]) {
			frame[HEADER_BYTES] = kind;
			expect(decodeFrame(frame, here)).toBe('malformed');
		}
	});

	it('is malformed when a message is of an unknown kind', () => {
		for (let kind = 4; kind < 256; kind++) {
			const frame = encodeFrame(elsewhere, ['first', new Uint8Array([2])]);
			frame[HEADER_BYTES + 7 + 'first'.length] = kind;
			expect(decodeFrame(frame, here)).toBe('malformed');
		}
	});

	it('never throws, whatever the bytes', () => {
		const garbage = fc.oneof(
			fc.uint8Array({ maxLength: 200, size: 'max' }),
			// A valid header before the garbage.
			fc.uint8Array({ maxLength: 100, size: 'max' }).map((tail) => Buffer.concat([encodeFrame(elsewhere, []), tail])),
			// A valid frame with some bytes overwritten.
			fc.tuple(anyMessages, fc.array(fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 })))).map(([messages, edits]) => {
				const frame = encodeFrame(elsewhere, messages);
				for (const [at, value] of edits) frame[at % frame.length] = value;
				return frame;
			}),
		);
		fc.assert(
			fc.property(garbage, (bytes) => {
				const decoded = decodeFrame(bytes, here);
				// Any text can be a hello.
				if (decoded === 'control') return;
				if (typeof decoded === 'string') expect(['malformed', 'unknown-version', 'echo']).toContain(decoded);
				else for (const message of decoded) expect(typeof message === 'string' || isKnown(message)).toBe(true);
			}),
			{ numRuns: 1_000 },
		);
	});
});
