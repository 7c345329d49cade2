import { afterEach, expect, it, vi } from 'vitest';
import { SocketClient } from './index.ts';
import { Say } from './test-support/messages.ts';

afterEach(() => vi.restoreAllMocks());

it('prints errors to the console while there is no error listener', async () => {
	const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
	const client = new SocketClient('ws://localhost/ws');
	client.onStateChange(() => {
		throw new Error('thrown by a listener');
	});
	await client.close();
	expect(printed.mock.calls).toEqual([['SocketClient (handler):', new Error('thrown by a listener')]]);

	const received: unknown[] = [];
	const undo = client.onError((error) => received.push(error));
	await expect(client.send(Say, { text: '' })).rejects.toThrow('closed');
	expect([received.length, printed.mock.calls.length]).toEqual([1, 1]);

	undo();
	await expect(client.send(Say, { text: '' })).rejects.toThrow('closed');
	expect([received.length, printed.mock.calls.length]).toEqual([1, 2]);
});
