import { describe, expect, it } from 'vitest';
import { InvalidClientOptionError, SocketClient, type SocketClientOptions } from './index.ts';
import { settingsOf } from './options.ts';

it('every option has a default', () => {
	expect(settingsOf({})).toEqual({
		auth: undefined,
		connectTimeoutMs: 15_000,
		requestTimeoutMs: 10_000,
		heartbeat: { intervalMs: 20_000, timeoutMs: 10_000 },
		reconnect: { minDelayMs: 500, maxDelayMs: 30_000, maxAttempts: Infinity },
		queue: { messages: 1_000, characters: 262_144 },
		positions: {},
		WebSocket,
	});
});

it('an undefined option has its default, and the largest delay is never below the first one', () => {
	const { reconnect, heartbeat } = settingsOf({ reconnect: { minDelayMs: 60_000 }, heartbeat: {} });
	expect(reconnect).toEqual({ minDelayMs: 60_000, maxDelayMs: 60_000, maxAttempts: Infinity });
	expect(heartbeat).toEqual({ intervalMs: 20_000, timeoutMs: 10_000 });
	const none = { auth: undefined, requestTimeoutMs: undefined } as unknown as SocketClientOptions;
	expect(settingsOf(none).requestTimeoutMs).toBe(10_000);
});

describe('rejects invalid options, naming what is allowed', () => {
	it.each<[unknown, RegExp]>([
		[null, /options must be an object/],
		['text', /options must be an object/],
		[
			{ hearbeat: {} },
			/a key of options must be one of auth, .*heartbeat, reconnect, queue, positions, WebSocket, not "hearbeat"/,
		],
		[{ heartbeat: { interval: 5 } }, /a key of heartbeat must be one of intervalMs, timeoutMs, not "interval"/],
		[{ reconnect: { max: 5 } }, /a key of reconnect must be one of minDelayMs, maxDelayMs, maxAttempts, not "max"/],
		[{ reconnect: true }, /reconnect must be an object/],
		[{ reconnect: { maxAttempts: -1 } }, /reconnect\.maxAttempts must be a whole number from 0 to Infinity, not -1/],
		[{ reconnect: { maxAttempts: '3' } }, /reconnect\.maxAttempts must be a whole number from 0 to Infinity, not "3"/],
		[{ reconnect: { maxAttempts: 1.5 } }, /reconnect\.maxAttempts must be a whole number .*, not 1\.5/],
		[{ queue: { size: 5 } }, /a key of queue must be one of messages, characters, not "size"/],
		[{ heartbeat: null }, /heartbeat must be an object/],
		[{ reconnect: 5 }, /reconnect must be an object/],
		[{ queue: false }, /queue must be an object/],
		[{ auth: 'token' }, /auth must be a function/],
		[{ connectTimeoutMs: 0 }, /connectTimeoutMs must be a number from 1 to 2147483647, not 0/],
		[{ connectTimeoutMs: '500' }, /connectTimeoutMs must be a number .*, not "500"/],
		[{ requestTimeoutMs: Number.NaN }, /requestTimeoutMs must be .* not NaN/],
		[{ requestTimeoutMs: Infinity }, /requestTimeoutMs must be .* not Infinity/],
		[{ heartbeat: { intervalMs: '5' } }, /heartbeat\.intervalMs must be .* not "5"/],
		[{ heartbeat: { timeoutMs: -1 } }, /heartbeat\.timeoutMs must be .* not -1/],
		[{ reconnect: { minDelayMs: 0 } }, /reconnect\.minDelayMs must be .* from 1 .* not 0/],
		[{ reconnect: { minDelayMs: 20, maxDelayMs: 10 } }, /reconnect\.maxDelayMs must be .* from 20 .* not 10/],
		[{ queue: { messages: -1 } }, /queue\.messages must be a number from 0 to Infinity, not -1/],
		[{ queue: { characters: '5' } }, /queue\.characters must be a number from 0 to Infinity, not "5"/],
		[{ positions: null }, /positions must be an object/],
		[{ positions: [] }, /positions must be an object/],
		[{ positions: { t: { offset: 1 } } }, /positions\.t must be \{ epoch, offset \}/],
		[{ positions: { getItem: () => null } }, /positions must be .*setItem/],
		[{ WebSocket: 'ws' }, /WebSocket must be a function, not "ws"/],
	])('%j', (options, message) => {
		const make = (): SocketClient => new SocketClient('ws://localhost/ws', options as SocketClientOptions);
		expect(make).toThrow(InvalidClientOptionError);
		expect(make).toThrow(message);
	});
});
