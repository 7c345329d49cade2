/**
 * A message in a frame. Consecutive messages of one kind form a run, so that many small texts take a single conversion
 * instead of one each:
 *
 * ```text
 * run  = kind (u8)  count (u16)  bytes (u32)  length (u32) * (count - 1)  content
 * kind = 0 text, 1 binary, 2 for the node, 3 mistakable text, 4 except
 * ```
 *
 * `content` is the concatenation of the run's messages, with text as UTF-8. `length` is a message's length in UTF-16
 * code units or, if it is binary, in bytes; the last message takes the rest. Messages for the node and mistakable texts
 * are texts in runs of their own. So are the ids of sockets that the next message in the frame skips: a text of 36
 * characters for each id.
 *
 * A string is an envelope, or an application's text that can't be mistaken for one.
 */
export type Message = string | Uint8Array | MistakableText | ForNode | Except;

/** An application's text that clients could mistake for a frame of the protocol. */
export class MistakableText {
	readonly text: string;
	constructor(text: string) {
		this.text = text;
	}
}

/** A text for the node that receives the frame, instead of for its sockets. */
export class ForNode {
	readonly text: string;
	constructor(text: string) {
		this.text = text;
	}
}

/**
 * Not a message itself: the sockets that the next message in the frame skips. Ids are written as text, because their
 * case matters.
 */
export class Except {
	readonly socketIds: readonly string[];
	constructor(socketIds: readonly string[]) {
		this.socketIds = socketIds;
	}

	/** The size of the ids, in bytes. */
	get bytes(): number {
		return this.socketIds.length * SOCKET_ID_BYTES;
	}
}

const TEXT = 0;
const BINARY = 1;
const FOR_NODE = 2;
const MISTAKABLE = 3;
const EXCEPT = 4;
const SOCKET_ID_BYTES = 36;
const RUN_HEADER_BYTES = 7;
const LENGTH_BYTES = 4;
const MAX_IN_RUN = 0xffff;

interface Run {
	readonly kind: typeof TEXT | typeof BINARY | typeof FOR_NODE | typeof MISTAKABLE | typeof EXCEPT;
	/** The index of the run's first message in the frame. */
	readonly from: number;
	/** The index after that of the run's last message. */
	readonly to: number;
	/** The size of the content, in bytes. */
	readonly bytes: number;
	/** The content, unless it is binary. */
	readonly text: string | undefined;
}

/** Divides the messages of a frame into runs, and writes the runs. */
export class MessageRuns {
	readonly #messages: readonly Message[];
	readonly #runs: Run[] = [];
	/** Whether there are texts for the node among the messages. */
	readonly areForNode: boolean;
	/** The number of bytes that `write` writes. */
	readonly size: number;

	constructor(messages: readonly Message[]) {
		this.#messages = messages;
		let size = 0;
		let areForNode = false;
		for (let from = 0; from < messages.length;) {
			const run = runFrom(messages, from);
			if (run.kind === FOR_NODE) areForNode = true;
			this.#runs.push(run);
			from = run.to;
			size += RUN_HEADER_BYTES + (run.to - run.from - 1) * LENGTH_BYTES + run.bytes;
		}
		this.size = size;
		this.areForNode = areForNode;
	}

	write(frame: Buffer, start: number): void {
		let at = start;
		for (const { kind, from, to, bytes, text } of this.#runs) {
			frame[at] = kind;
			frame.writeUInt16BE(to - from, at + 1);
			frame.writeUInt32BE(bytes, at + 3);
			at += RUN_HEADER_BYTES;
			for (let i = from; i < to - 1; i++)
				at = frame.writeUInt32BE((this.#messages[i] as string | Uint8Array).length, at);
			if (text === undefined) {
				for (let i = from; i < to; i++) {
					frame.set(this.#messages[i] as Uint8Array, at);
					at += (this.#messages[i] as Uint8Array).length;
				}
			} else {
				frame.write(text, at);
				at += bytes;
			}
		}
	}
}

function runFrom(messages: readonly Message[], from: number): Run {
	const first = messages[from] as Message;
	let to = from + 1;
	if (first instanceof ForNode || first instanceof MistakableText) {
		const { text } = first;
		return { kind: first instanceof ForNode ? FOR_NODE : MISTAKABLE, from, to, bytes: Buffer.byteLength(text), text };
	}
	if (first instanceof Except) return runOfExcept(first, from);
	if (typeof first !== 'string') {
		let bytes = first.length;
		for (let next = messages[to]; isInRun(from, to) && next instanceof Uint8Array; next = messages[++to])
			bytes += next.length;
		return { kind: BINARY, from, to, bytes, text: undefined };
	}
	let text = first;
	let lastUnit = first.charCodeAt(first.length - 1);
	for (let next = messages[to]; isInRun(from, to) && typeof next === 'string'; next = messages[++to]) {
		// Surrogate halves of two messages must not be joined into one character.
		if (isHighSurrogate(lastUnit)) break;
		text += next;
		if (next.length > 0) lastUnit = next.charCodeAt(next.length - 1);
	}
	return { kind: TEXT, from, to, bytes: Buffer.byteLength(text), text };
}

function runOfExcept({ socketIds, bytes }: Except, from: number): Run {
	return { kind: EXCEPT, from, to: from + 1, bytes, text: socketIds.join('') };
}

/** Reads the content of a run of {@link Except}. Returns undefined if it is malformed. */
function readExcept(text: string): Except | undefined {
	if (text.length % SOCKET_ID_BYTES !== 0) return undefined;
	const socketIds: string[] = [];
	for (let at = 0; at < text.length; at += SOCKET_ID_BYTES) socketIds.push(text.slice(at, at + SOCKET_ID_BYTES));
	return new Except(socketIds);
}

function isInRun(from: number, to: number): boolean {
	return to - from < MAX_IN_RUN;
}

function isHighSurrogate(unit: number): boolean {
	return (unit & 0xfc00) === 0xd800;
}

/**
 * Reads the messages that begin at `start`. Returns undefined if they are malformed.
 *
 * @param areForNode whether there may be texts for the node among them
 */
export function readMessages(frame: Buffer, start: number, areForNode: boolean): Message[] | undefined {
	const messages: Message[] = [];
	for (let at = start; at < frame.length;) {
		if (at + RUN_HEADER_BYTES > frame.length) return undefined;
		const kind = frame[at];
		const count = frame.readUInt16BE(at + 1);
		const lengths = at + RUN_HEADER_BYTES;
		const begin = lengths + (count - 1) * LENGTH_BYTES;
		const end = begin + frame.readUInt32BE(at + 3);
		if (count === 0 || end > frame.length) return undefined;
		at = end;
		if (((kind === FOR_NODE && areForNode) || kind === MISTAKABLE) && count === 1) {
			const text = frame.toString('utf8', begin, end);
			messages.push(kind === FOR_NODE ? new ForNode(text) : new MistakableText(text));
			continue;
		}
		if (kind === EXCEPT && count === 1) {
			const except = readExcept(frame.toString('latin1', begin, end));
			if (except === undefined) return undefined;
			messages.push(except);
			continue;
		}
		const content = kind === TEXT ? frame.toString('utf8', begin, end) : frame.subarray(begin, end);
		if ((kind !== TEXT && kind !== BINARY) || !divide(content, frame, lengths, count, messages)) return undefined;
	}
	return messages;
}

/**
 * Splits the content of a run (messages of one kind) into its messages. Returns false if their lengths exceed the
 * content.
 */
function divide(
	content: string | Uint8Array,
	frame: Buffer,
	lengths: number,
	count: number,
	messages: Message[],
): boolean {
	let from = 0;
	for (let i = 0; i < count - 1; i++) {
		const to = from + frame.readUInt32BE(lengths + i * LENGTH_BYTES);
		if (to > content.length) return false;
		messages.push(typeof content === 'string' ? content.substring(from, to) : content.subarray(from, to));
		from = to;
	}
	if (count === 1) messages.push(content);
	else messages.push(typeof content === 'string' ? content.substring(from) : content.subarray(from));
	return true;
}
