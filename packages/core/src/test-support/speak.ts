import type { TestClient } from '@orijs/testkit';
import { expect } from 'vitest';

/** Says something typed; with a correlation id it is a request. */
export function say(client: TestClient, type: string, data?: unknown, correlationId?: string): void {
	client.send(JSON.stringify({ type, data, correlationId }));
}

/** Resolves once the server has everything that the client said before: pongs do not wait for handlers. */
export async function arrived(client: TestClient): Promise<void> {
	const correlationId = `ping ${crypto.randomUUID()}`;
	say(client, '@ping', undefined, correlationId);
	await client.next((message) => parse(message)['correlationId'] === correlationId);
}

/** What `@ping`, `@subscribe` and `@unsubscribe` of one topic are answered with: when. */
export const DONE = { timestamp: expect.any(Number) as number };

/** What the client was answered, in order, without pongs: by correlation id, the answer's data or the refusal's code. */
export function answersOf(client: TestClient): [correlationId: unknown, answer: unknown][] {
	return client.texts
		.map(parse)
		.filter(({ type }) => type !== undefined && type !== '@ping')
		.map(({ correlationId, data, error }) => [correlationId, error === undefined ? data : (error as Fault).code]);
}

export function parse(message: string | Uint8Array): Record<string, unknown> {
	return JSON.parse(String(message)) as Record<string, unknown>;
}

interface Fault {
	readonly code: string;
}
