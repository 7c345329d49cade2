import type { TestClient } from '@orijs/testkit';
import { expect } from 'vitest';

/** Sends a typed message, or a request if there is a correlation id. */
export function sendTyped(client: TestClient, type: string, data?: unknown, correlationId?: string): void {
	client.send(JSON.stringify({ type, data, correlationId }));
}

/**
 * Resolves once the server has received everything the client has sent. Uses `@ping`, whose answer does not wait for
 * handlers.
 */
export async function allReceived(client: TestClient): Promise<void> {
	const correlationId = `ping ${crypto.randomUUID()}`;
	sendTyped(client, '@ping', undefined, correlationId);
	await client.next((message) => parse(message)['correlationId'] === correlationId);
}

/** The answer to a successful `@ping`, and to `@subscribe` and `@unsubscribe` of one topic. */
export const ACCEPTED = { timestamp: expect.any(Number) as number };

/** The default limits that the answer to `@auth` announces. */
export const ANNOUNCED = { messageBytes: 65_536, messagesPerSecond: 100, bytesPerSecond: 1_048_576 };

/**
 * The answers a client has received, in order, without pongs and notices of subscriptions. Each consists of its
 * correlation id, and of its data or the refusal's code.
 */
export function answersOf(client: TestClient): [correlationId: unknown, answer: unknown][] {
	return client.texts
		.map(parse)
		.filter(({ type }) => type !== undefined && !NO_ANSWERS.has(type))
		.map(({ correlationId, data, error }) => [correlationId, error === undefined ? data : (error as Fault).code]);
}

const NO_ANSWERS: ReadonlySet<unknown> = new Set(['@ping', '@subscribed', '@unsubscribed']);

export function parse(message: string | Uint8Array): Record<string, unknown> {
	return JSON.parse(String(message)) as Record<string, unknown>;
}

/** Parses the application's own JSON, taken out of the frame in which it reaches clients that speak the protocol. */
export function parseFramed(message: string | Uint8Array): Record<string, unknown> {
	const { name, data } = parse(message);
	expect(name).toBe('@text');
	return parse(data as string);
}

interface Fault {
	readonly code: string;
}
