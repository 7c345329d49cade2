import { HANDSHAKE, RecordingLogger } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application } from '../index.ts';
import { connectRaw } from '../test-support/raw-connection.ts';
import { serve } from '../test-support/serve.ts';

/** Returns the status line of the answer to a handshake with additional headers. */
async function statusOf(headers: string, query = ''): Promise<string> {
	let upgrades = 0;
	const app = new Application({ logger: new RecordingLogger() }).websocket({ upgrade: () => ({ number: ++upgrades }) });
	const { port } = await serve(app);
	const client = await connectRaw(port);
	client.write(`${HANDSHAKE.replace('/ws', `/ws${query}`)}${headers}\r\n`);
	await client.seen('\r\n\r\n');
	expect(upgrades).toBe(client.received.includes(' 101 ') ? 1 : 0);
	return client.received.slice(0, client.received.indexOf('\r\n'));
}

const protocols = (count: number): string =>
	`Sec-WebSocket-Protocol: ${Array.from({ length: count }, (_, i) => `protocol-${i}`).join(', ')}\r\n`;

describe('an upgrade request whose headers are too large is rejected with 431 before `upgrade` sees it', () => {
	it.each([
		['15 KiB', `X-Long: ${'x'.repeat(15 * 1024)}\r\n`, `X-Long: ${'x'.repeat(17 * 1024)}\r\n`],
		['1,000 subprotocols', protocols(1_000), protocols(2_000)],
		['150 headers', 'X: y\r\n'.repeat(150), 'X: y\r\n'.repeat(250)],
	])('unlike %s', async (_, accepted, rejected) => {
		expect(await statusOf(accepted)).toBe('HTTP/1.1 101 Switching Protocols');
		expect(await statusOf(rejected)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
	});

	it('unlike a query of 15 KiB', async () => {
		expect(await statusOf('', `?${'x'.repeat(15 * 1024)}`)).toBe('HTTP/1.1 101 Switching Protocols');
		expect(await statusOf('', `?${'x'.repeat(17 * 1024)}`)).toBe('HTTP/1.1 431 Request Header Fields Too Large');
	});
});
