/**
 * A client without a library: it uses the browser's WebSocket as PROTOCOL.md describes. It MUST NOT import anything.
 */

interface Answer {
	readonly type?: string;
	readonly name?: string;
	readonly correlationId?: string;
	readonly topic?: string;
	readonly data?: unknown;
	readonly error?: { readonly code: string };
	readonly timestamp?: number;
}

let socket: WebSocket;
const pending = new Map<string, (answer: Answer) => void>();
const plain = {
	/** Emitted messages, gaps and raw text, in order. */
	received: [] as unknown[],
	closed: undefined as { code: number; reason: string } | undefined,
	/** Resolves when the connection is open. */
	connect(endpoint: string): Promise<void> {
		socket = new WebSocket(endpoint, 'orijs.1');
		socket.addEventListener('message', ({ data }: MessageEvent) => receive(data as string));
		socket.addEventListener('close', ({ code, reason }) => {
			plain.closed = { code, reason };
		});
		return new Promise((resolve) => socket.addEventListener('open', () => resolve()));
	},
	/** Resolves with the answer to a request. */
	request(type: string, data: unknown): Promise<Answer> {
		const correlationId = crypto.randomUUID();
		socket.send(JSON.stringify({ type, data, correlationId }));
		return new Promise((resolve) => pending.set(correlationId, resolve));
	},
	send(type: string, data: unknown): void {
		socket.send(JSON.stringify({ type, data }));
	},
};
Object.assign(globalThis, { plain });

function receive(text: string): void {
	const frame = parsed(text);
	const { type, name, correlationId, data } = frame ?? {};
	if (frame === undefined) plain.received.push(text);
	else if (name !== undefined && correlationId !== undefined) {
		// Answers a request from the server: doubles numbers, and refuses everything else.
		const reply =
			typeof data === 'number' ? { data: data * 2 } : { error: { code: 'no_number', message: 'Only numbers' } };
		socket.send(JSON.stringify({ type: '@reply', correlationId, ...reply }));
	} else if (correlationId !== undefined && type !== undefined) {
		pending.get(correlationId)?.(frame);
		pending.delete(correlationId);
	} else plain.received.push(frame);
}

function parsed(text: string): Answer | undefined {
	try {
		return JSON.parse(text) as Answer;
	} catch {
		return undefined;
	}
}

export type Plain = typeof plain;
