import { connectSpeaker, type TestClient } from '@orijs/testkit';
import { BuiltIn, type InferInput, type InferOutput, type SocketMessage } from '@orijs/websocket/protocol';
import type { NewUser } from '../users.ts';

/** The port on which a notice board listens. */
export type Port = number | undefined;

/** A client of the notice board, without a page. */
export interface Member extends TestClient {
	/** Sends a request. Resolves with the reply: its `data`, or its `error` if the request was refused. */
	ask(type: string, data: unknown): Promise<{ data?: any; error?: { code: string; message: string } }>;
	/** Sends a typed request. Resolves with the reply, or rejects if the request was refused. */
	request<T extends SocketMessage>(message: T, data: InferInput<T['data']>): Promise<any>;
	subscribe(topic: string): Promise<void>;
	/** Resolves with the data of the next message of this kind. */
	hear<T extends SocketMessage>(message: T): Promise<InferOutput<T['data']>>;
}

/** The credentials of a client. */
export interface Papers {
	/** The cookie that is sent with the upgrade. */
	readonly cookie?: string;
	/** The data that is sent in the first frame. */
	readonly auth?: unknown;
	/** The origin of the page, which a browser would send. */
	readonly origin?: string;
}

export function post(port: Port, path: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
	return fetch(`http://localhost:${port}${path}`, {
		method: 'POST',
		headers: { 'Content-Type': 'application/json', ...headers },
		body: JSON.stringify(body),
		redirect: 'manual',
	});
}

/** Logs in as a browser does. Resolves with the cookie. */
export async function cookieOf(port: Port, { name, password }: NewUser): Promise<string> {
	const response = await post(port, '/login', { name, password });
	const cookie = response.headers.get('set-cookie')?.split(';')[0];
	if (cookie === undefined) throw new Error(`could not log in as ${name}: ${response.status} ${await response.text()}`);
	return cookie;
}

/** Logs in as a program does. Resolves with the token. */
export async function tokenOf(port: Port, { name, password }: NewUser): Promise<string> {
	const response = await post(port, '/token', { name, password });
	return ((await response.json()) as { token: string }).token;
}

/**
 * Connects and sends the first frame. To find out whether the server accepts the client, send a request or await
 * `closed`.
 */
export async function connect(port: Port, { cookie, auth, origin }: Papers): Promise<Member> {
	const client = await connectSpeaker(`ws://localhost:${port}/ws`, {
		headers: { ...(cookie !== undefined && { cookie }), ...(origin !== undefined && { origin }) },
	});
	let lastId = 0;
	const member: Member = {
		...client,
		async ask(type, data) {
			const correlationId = String(++lastId);
			client.send(JSON.stringify({ type, data, correlationId }));
			return parse(await client.next((frame) => parse(frame).correlationId === correlationId));
		},
		async request(message, data) {
			const { data: answer, error } = await member.ask(message.name, data);
			if (error !== undefined) throw new Error(`${message.name} was refused: ${error.code}`);
			return answer;
		},
		async subscribe(topic) {
			const { error } = await member.ask(BuiltIn.subscribe, { topic });
			if (error !== undefined) throw new Error(`could not subscribe to ${topic}: ${error.code}`);
		},
		hear: async (message) => parse(await client.next((frame) => parse(frame).name === message.name)).data,
	};
	client.send(JSON.stringify({ type: BuiltIn.auth, data: auth }));
	return member;
}

function parse(frame: string | Uint8Array): any {
	return JSON.parse(String(frame));
}
