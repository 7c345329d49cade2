import { connectClient } from '@orijs/testkit';
import { describe, expect, it } from 'vitest';
import { Application, ApplicationError, type Limits } from './index.ts';
import { withDefaults } from './limits.ts';
import { serve } from './test-support/serve.ts';

const DEFAULTS = {
	connections: 50_000,
	connectionsPerAddress: undefined,
	messageBytes: 64 * 1024,
	messageDepth: 32,
	messagesPerSecond: 100,
	bytesPerSecond: 1024 * 1024,
	queuedMessages: 64,
	queuedMessageBytes: 256 * 1024,
	queuedBytes: 1024 * 1024,
	topicsPerSocket: 200,
	pendingRequests: 100,
	guardTimeoutMs: 10_000,
	handlerTimeoutMs: 30_000,
	idleTimeoutMs: 120_000,
	pingIntervalMs: 25_000,
};

const GIB = 1024 ** 3;
const MAX_DELAY_MS = 2 ** 31 - 1;

/** The range of each limit, and whether fractions are allowed. */
const RANGES: [keyof Limits, number, number, boolean][] = [
	['connections', 1, Infinity, false],
	['connectionsPerAddress', 1, Infinity, false],
	['messageBytes', 1, GIB, false],
	['messageDepth', 1, 1_000, false],
	['messagesPerSecond', 1, Infinity, true],
	['bytesPerSecond', 1, Infinity, true],
	['queuedMessages', 1, Infinity, false],
	['queuedMessageBytes', 1, GIB, false],
	['queuedBytes', 1, GIB, false],
	['topicsPerSocket', 0, Infinity, false],
	['pendingRequests', 1, Infinity, false],
	['guardTimeoutMs', 1, MAX_DELAY_MS, true],
	['handlerTimeoutMs', 1, MAX_DELAY_MS, true],
	['idleTimeoutMs', 8_000, 960_000, true],
	['pingIntervalMs', 1_000, 480_000, true],
];

const setting = (limits: unknown) => () => new Application().websocket({ limits: limits as Limits });

describe('limits', () => {
	it('have defaults, which undefined does not change', () => {
		expect(withDefaults()).toEqual(DEFAULTS);
		expect(withDefaults(Object.fromEntries(RANGES.map(([name]) => [name, undefined])))).toEqual(DEFAULTS);
		expect(setting(Object.fromEntries(RANGES.map(([name]) => [name, undefined])))).not.toThrow();
	});

	it('are set one by one; the others keep their defaults', () => {
		for (const [name] of RANGES) {
			const value = 77_777;
			const changes = name === 'messageBytes' ? { bytesPerSecond: DEFAULTS.bytesPerSecond } : {};
			expect(withDefaults({ [name]: value })).toEqual({ ...DEFAULTS, ...changes, [name]: value });
		}
	});

	it('raise the default byte rate to the largest message', () => {
		expect(withDefaults({ messageBytes: 8 * 1024 * 1024 }).bytesPerSecond).toBe(8 * 1024 * 1024);
	});

	it('raise the default of queued bytes to the largest message', () => {
		expect(withDefaults({ messageBytes: 8 * 1024 * 1024 }).queuedMessageBytes).toBe(8 * 1024 * 1024);
	});

	it('ping at least twice per idle timeout by default', () => {
		expect(withDefaults({ idleTimeoutMs: 8_000 }).pingIntervalMs).toBe(4_000);
		expect(withDefaults({ idleTimeoutMs: 49_000 }).pingIntervalMs).toBe(24_500);
		expect(withDefaults({ idleTimeoutMs: 960_000 }).pingIntervalMs).toBe(25_000);
	});

	it.each(RANGES)('%s: from %d to %d', (name, min, max, fractions) => {
		const rest = { bytesPerSecond: { messageBytes: 1 }, pingIntervalMs: { idleTimeoutMs: 960_000 } }[name as string];
		const refusal = `websocket(): limits.${name} must be ${fractions ? 'a number' : 'a whole number'} from ${min} to ${max}, not `;
		for (const good of [min, max, min + 1]) expect(setting({ ...rest, [name]: good })).not.toThrow();

		const wrong: [unknown, string][] = [
			[min - 1, String(min - 1)],
			[-Infinity, '-Infinity'],
			[Number.NaN, 'NaN'],
			['100', '"100"'],
			[null, 'null'],
			[100n, '100'],
			[true, 'true'],
			[[100], '[…]'],
		];
		if (Number.isFinite(max)) wrong.push([max + 1, String(max + 1)], [Infinity, 'Infinity']);
		if (!fractions) wrong.push([min + 0.5, String(min + 0.5)]);
		for (const [bad, shown] of wrong) {
			expect(setting({ ...rest, [name]: bad })).toThrow(ApplicationError);
			expect(setting({ ...rest, [name]: bad })).toThrow(refusal + shown);
		}
		if (fractions) expect(setting({ ...rest, [name]: min + 0.5 })).not.toThrow();
	});

	it('rejects an unknown name and lists the known ones', () => {
		for (const name of ['maxConnections', 'message', 'constructor', 'toString', '']) {
			const call = setting({ [name]: 1 });
			expect(call).toThrow(ApplicationError);
			expect(call).toThrow(
				`websocket(): there is no limit ${name}; limits are connections, connectionsPerAddress, messageBytes, messageDepth, messagesPerSecond, bytesPerSecond, queuedMessages, queuedMessageBytes, queuedBytes, topicsPerSocket, pendingRequests, guardTimeoutMs, handlerTimeoutMs, idleTimeoutMs, pingIntervalMs`,
			);
		}
	});

	it.each([
		[null, 'null'],
		[7, '7'],
		['none', '"none"'],
		[[], '[…]'],
		[() => {}, 'a function'],
	])('must be an object, not %o', (limits, shown) => {
		expect(setting(limits)).toThrow(ApplicationError);
		expect(setting(limits)).toThrow(`websocket(): limits must be an object, not ${shown}`);
	});

	it('must allow one message of the largest size per second', () => {
		for (const limits of [
			{ bytesPerSecond: 1_000 },
			{ bytesPerSecond: 1_000, messageBytes: 1_001 },
			{ bytesPerSecond: 1_000, messageBytes: 64 * 1024 },
		]) {
			expect(setting(limits)).toThrow(ApplicationError);
			expect(setting(limits)).toThrow('limits.bytesPerSecond must be at least limits.messageBytes (');
		}
		expect(setting({ bytesPerSecond: 1_000, messageBytes: 1_000 })).not.toThrow();
	});

	it('must leave a client time to answer a ping', () => {
		for (const [limits, refusal] of [
			[{ pingIntervalMs: 60_001 }, 'at most half of limits.idleTimeoutMs (120000), not 60001'],
			[{ pingIntervalMs: 5_000, idleTimeoutMs: 8_000 }, 'at most half of limits.idleTimeoutMs (8000), not 5000'],
		] as const) {
			expect(setting(limits)).toThrow(ApplicationError);
			expect(setting(limits)).toThrow(`websocket(): limits.pingIntervalMs must be ${refusal}`);
		}
		expect(setting({ pingIntervalMs: 4_000, idleTimeoutMs: 8_000 })).not.toThrow();
	});

	it.each([
		['smallest', 1],
		['largest', 2],
	] as const)('work at their %s', async (_, index) => {
		const limits = Object.fromEntries(RANGES.map((range) => [range[0], range[index]]));
		const app = new Application().websocket({ limits }).onWebSocket({ message: (ws, text) => void ws.send(text) });
		const { ws } = await serve(app);
		const client = await connectClient(ws);
		client.send('x');

		expect(await client.next()).toBe('x');
	});
});
