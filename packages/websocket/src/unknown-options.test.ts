import { describe, expect, it } from 'vitest';
import {
	createInProcWsProvider,
	InProcWsProvider,
	InvalidOptionError,
	SocketCoordinator,
	WsProvider,
} from './index.ts';

const provider = new InProcWsProvider();

describe('an unknown option', () => {
	it.each([
		[
			'InProcWsProvider',
			'histroy',
			() => new InProcWsProvider({ histroy: {} } as object),
			'InProcWsProvider has no option histroy; options are logger, history',
		],
		[
			'createInProcWsProvider',
			'heartbeatMs, which only other providers have',
			() => createInProcWsProvider({ heartbeatMs: 500 } as object),
			'InProcWsProvider has no option heartbeatMs; options are logger, history',
		],
		[
			'WsProvider',
			'graceMS',
			() => new WsProvider({ graceMS: 5 } as object),
			'WsProvider has no option graceMS; options are bus, history, presence, logger, heartbeatMs, collectBeatsAbove, startTimeoutMs, graceMs',
		],
		[
			'setServer()',
			'slowReader',
			() => new InProcWsProvider().setServer({ publish: () => 0 }, { slowReader: 'drop' } as object),
			'setServer() has no option slowReader; options are queuedBytes, queuedBytesOf, slowReaders, onSlowReader, compressFromBytes',
		],
		[
			'SocketCoordinator',
			'log',
			() => new SocketCoordinator({ provider, log: console } as never),
			'SocketCoordinator has no option log; options are provider, logger',
		],
		[
			'SocketCoordinator',
			'with an odd name',
			() => new SocketCoordinator({ provider, [`a\n${'x'.repeat(100)}`]: 1 }),
			'SocketCoordinator has no option a\\n',
		],
	])('of %s is refused: %s', (_owner, _option, make, message) => {
		expect(make).toThrow(InvalidOptionError);
		expect(make).toThrow(message);
	});

	it.each([null, 7, []])('is not reported if the options are %j', (options) => {
		const make = (): unknown => new InProcWsProvider(options as object);
		expect(make).toThrow(InvalidOptionError);
		expect(make).toThrow('InProcWsProvider takes an object of options, not ');
	});

	it('is not reported for text, which the error does not show', () => {
		const make = (): unknown => new InProcWsProvider('redis://:hunter2@localhost' as never);
		expect(make).toThrow(/^InProcWsProvider takes an object of options, not a string$/);
	});

	it('is not reported for a known name whose value is undefined', () => {
		expect(() => new InProcWsProvider({ logger: undefined, history: undefined } as object)).not.toThrow();
		expect(() => new SocketCoordinator({ provider, logger: undefined } as never)).not.toThrow();
	});
});
