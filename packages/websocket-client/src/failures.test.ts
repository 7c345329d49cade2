import { afterEach, expect, it, vi } from 'vitest';
import { SocketClient } from './index.ts';
import { Say } from './test-support/messages.ts';

afterEach(() => vi.restoreAllMocks());

it('what nobody listens to goes to the console', async () => {
	const printed = vi.spyOn(console, 'error').mockImplementation(() => {});
	const client = new SocketClient('ws://localhost/ws');
	client.onStateChange(() => {
		throw new Error('thrown by a listener');
	});
	await client.close();
	expect(printed.mock.calls).toEqual([['SocketClient (handler):', new Error('thrown by a listener')]]);

	const heard: unknown[] = [];
	const undo = client.onError((error) => heard.push(error));
	await expect(client.send(Say, { text: '' })).rejects.toThrow('closed');
	expect([heard.length, printed.mock.calls.length]).toEqual([1, 1]);

	undo();
	await expect(client.send(Say, { text: '' })).rejects.toThrow('closed');
	expect([heard.length, printed.mock.calls.length]).toEqual([1, 2]);
});
