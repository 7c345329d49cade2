import { RecordingLogger, until } from '@orijs/testkit';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { InProcWsProvider, InvalidOptionError, type Logger, WsProvider } from '../index.ts';
import { GapEvents } from '../loss/gap-events.ts';
import { MemoryBackend } from '../testing/index.ts';
import { openNode } from '../test-support/test-node.ts';
import { watchUnhandledRejections } from '../test-support/unhandled-rejections.ts';

const thrown = new Error('listener failed');
const LIMIT = 64 * 1024;

const ways: readonly [string, () => unknown][] = [
	[
		'throws',
		() => {
			throw thrown;
		},
	],
	['rejects', () => Promise.reject(thrown)],
	[
		'returns a thenable that rejects',
		() => ({
			// oxlint-disable-next-line unicorn/no-thenable -- the subject of this test
			then: (_: unknown, reject: (error: Error) => void) => reject(thrown),
		}),
	],
];

/** Each function registers a listener, causes it to be called, and returns the log. */
const listeners: readonly [string, (listener: () => unknown) => Promise<RecordingLogger>][] = [
	[
		'onStatus',
		async (listener) => {
			const log = new RecordingLogger();
			const provider = new InProcWsProvider({ logger: log });
			provider.onStatus(listener);
			await provider.start();
			return log;
		},
	],
	[
		'onGap',
		async (listener) => {
			const log = new RecordingLogger();
			const gaps = new GapEvents(log);
			gaps.on(listener);
			gaps.add(['a'], 1, 2, 'x');
			gaps.flush();
			return log;
		},
	],
	[
		'onNodeMessage',
		async (listener) => {
			const { provider, log } = await openNode();
			provider.onNodeMessage(listener);
			await provider.sendToNode(provider.nodeId, 'x');
			return log;
		},
	],
	[
		'onSlowReader',
		async (listener) => {
			const node = await openNode({ setServer: false });
			node.provider.setServer(node.server, { queuedBytes: LIMIT, onSlowReader: listener });
			const slow = await node.connect({ topics: new Set(['t']) });
			for (let i = 0; i < 1_500; i++) void node.provider.publish('t', 'x'.repeat(LIMIT / 4));
			expect(await slow.client.closed).toMatchObject({ code: 1013 });
			return node.log;
		},
	],
];

describe.each(listeners)('a listener of %s', (stage, cause) => {
	it.each(ways)('that %s is logged with its stage, and causes no unhandled rejection', async (_, listener) => {
		const watch = watchUnhandledRejections();
		const log = await cause(listener);
		await until(() => log.errors.length > 0, { what: 'it is logged' });

		expect(log.errors[0]).toMatchObject({
			level: 'error',
			message: `WebSocket failure (${stage}): listener failed`,
			details: { stage, err: thrown },
		});
		expect(await watch.seen()).toEqual([]);
	});
});

it('a listener that fails while the logger rejects does no harm', async () => {
	const watch = watchUnhandledRejections();
	const spy = vi.spyOn(console, 'error').mockImplementation(() => {});
	onTestFinished(() => spy.mockRestore());
	const reject = (): Promise<never> => Promise.reject(new Error('no disk'));
	const logger: Logger = { debug: reject, info: reject, warn: reject, error: reject };
	const provider = new InProcWsProvider({ logger });
	provider.onStatus(() => Promise.reject(thrown));
	await provider.start();
	await until(() => spy.mock.calls.length > 0, { what: 'the lost line is reported' });

	expect(spy.mock.calls).toEqual([
		[
			expect.stringMatching(
				/^A log line could not be written: error: WebSocket failure \(onStatus\): listener failed err=Error: no disk /,
			),
		],
	]);
	expect(await watch.seen()).toEqual([]);
	expect(provider.status).toBe('ready');
});

describe.each(['onStatus', 'onGap', 'onNodeMessage'] as const)('%s()', (name) => {
	it.each([
		['in one process', () => new InProcWsProvider()],
		['with a bus', () => new WsProvider({ bus: new MemoryBackend().createBus() })],
	])('of a provider %s refuses a listener that is no function', (_, create) => {
		const provider = create();
		const add = (listener: unknown) => (): unknown => provider[name](listener as () => void);
		expect(add(undefined)).toThrow(InvalidOptionError);
		expect(add(undefined)).toThrow(`${name}() takes a function, not undefined`);
		expect(add('x')).toThrow(`${name}() takes a function, not "x"`);
	});
});
