/**
 * A client of nobody's library: the browser's own WebSocket, and what PROTOCOL.md says. It MUST NOT import anything.
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
const waiting = new Map<string, (answer: Answer) => void>();
const plain = {
	/** Emitted messages, gaps and raw text, in their order. */
	heard: [] as unknown[],
	closed: undefined as { code: number; reason: string } | undefined,
	/** Resolves when the connection is open. */
	connect(endpoint: string): Promise<void> {
		socket = new WebSocket(endpoint);
		socket.addEventListener('message', ({ data }: MessageEvent) => receive(data as string));
		socket.addEventListener('close', ({ code, reason }) => {
			plain.closed = { code, reason };
		});
		return new Promise((resolve) => socket.addEventListener('open', () => resolve()));
	},
	/** Resolves with the answer to a request. */
	ask(type: string, data: unknown): Promise<Answer> {
		const correlationId = crypto.randomUUID();
		socket.send(JSON.stringify({ type, data, correlationId }));
		return new Promise((resolve) => waiting.set(correlationId, resolve));
	},
	tell(type: string, data: unknown): void {
		socket.send(JSON.stringify({ type, data }));
	},
};
Object.assign(globalThis, { plain });

function receive(text: string): void {
	const frame = parsed(text);
	const { type, name, correlationId, data } = frame ?? {};
	if (frame === undefined) plain.heard.push(text);
	else if (name !== undefined && correlationId !== undefined) {
		// The server asks: this client doubles numbers, and refuses all else.
		const reply =
			typeof data === 'number' ? { data: data * 2 } : { error: { code: 'no_number', message: 'Only numbers' } };
		socket.send(JSON.stringify({ type: '@reply', correlationId, ...reply }));
	} else if (correlationId !== undefined && type !== undefined) {
		waiting.get(correlationId)?.(frame);
		waiting.delete(correlationId);
	} else plain.heard.push(frame);
}

function parsed(text: string): Answer | undefined {
	try {
		return JSON.parse(text) as Answer;
	} catch {
		return undefined;
	}
}

export type Plain = typeof plain;
