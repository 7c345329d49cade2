/** The wire format of Redis, version 2; see https://redis.io/docs/latest/develop/reference/protocol-spec/ */

/** An error reply of Redis. `message` is the text of the reply, such as `NOAUTH Authentication required.` */
export class RedisReplyError extends Error {
	override readonly name = 'RedisReplyError';
}

/** A reply. An array can contain error replies. */
export type Reply = string | number | null | RedisReplyError | Reply[];

export interface Parsed {
	readonly reply: Reply;
	/** The index at which the next reply begins. */
	readonly next: number;
}

export function encodeCommand(args: readonly string[]): string {
	return `*${args.length}\r\n${args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`).join('')}`;
}

/** Returns the reply that begins at `start`, or `undefined` if it is still incomplete. */
export function parseReply(bytes: Buffer, start: number): Parsed | undefined {
	const lineEnd = bytes.indexOf('\r\n', start);
	if (lineEnd === -1) return undefined;
	const line = bytes.toString('utf8', start + 1, lineEnd);
	const next = lineEnd + 2;
	const type = bytes.toString('latin1', start, start + 1);
	switch (type) {
		case '+':
			return { reply: line, next };
		case '-':
			return { reply: new RedisReplyError(line), next };
		case ':':
			return { reply: Number(line), next };
		case '$':
			return parseBulk(bytes, Number(line), next);
		case '*':
			return parseArray(bytes, Number(line), next);
		default:
			throw new Error(`not a RESP2 reply: ${JSON.stringify(type + line)}`);
	}
}

function parseBulk(bytes: Buffer, length: number, start: number): Parsed | undefined {
	if (length === -1) return { reply: null, next: start };
	const end = start + length;
	return bytes.length < end + 2 ? undefined : { reply: bytes.toString('utf8', start, end), next: end + 2 };
}

function parseArray(bytes: Buffer, count: number, start: number): Parsed | undefined {
	if (count === -1) return { reply: null, next: start };
	const reply: Reply[] = [];
	let next = start;
	while (reply.length < count) {
		const element = parseReply(bytes, next);
		if (!element) return undefined;
		reply.push(element.reply);
		next = element.next;
	}
	return { reply, next };
}
