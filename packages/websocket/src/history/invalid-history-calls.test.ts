import { describe, expect, it } from 'vitest';
import { InProcWsProvider } from '../index.ts';
import type { HistoryRules } from './history-rules.ts';

const HISTORY: HistoryRules = { 'chat:*': { size: 50, ttlMs: 60_000 } };

describe('an invalid history call is rejected', () => {
	it.each([
		[
			'publish with a key in a plain topic',
			'NoHistoryError',
			(p: InProcWsProvider) => p.publish('plain', 'x', { idempotencyKey: 'k' }),
		],
		['history of a plain topic', 'NoHistoryError', (p: InProcWsProvider) => p.history('plain')],
		[
			'an empty key',
			'InvalidIdempotencyKeyError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', { idempotencyKey: '' }),
		],
		[
			'a long key',
			'InvalidIdempotencyKeyError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', { idempotencyKey: 'k'.repeat(257) }),
		],
		[
			'a key that is not a string',
			'InvalidIdempotencyKeyError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', { idempotencyKey: 7 as never }),
		],
		[
			'a key with half a surrogate pair',
			'InvalidIdempotencyKeyError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', { idempotencyKey: 'k\ud800' }),
		],
		[
			'a key instead of options',
			'InvalidOptionError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', 'order-7' as never),
		],
		[
			'an unknown option of publish',
			'InvalidOptionError',
			(p: InProcWsProvider) => p.publish('chat:1', 'x', { idempotencykey: 'k' } as never),
		],
		['null as options of history', 'InvalidOptionError', (p: InProcWsProvider) => p.history('chat:1', null as never)],
		['a limit instead of options', 'InvalidOptionError', (p: InProcWsProvider) => p.history('chat:1', 100 as never)],
		[
			'an unknown option of history',
			'InvalidOptionError',
			(p: InProcWsProvider) => p.history('chat:1', { sicne: { epoch: 'e', offset: 1 } } as never),
		],
		[
			'resume without a position',
			'InvalidOptionError',
			(p: InProcWsProvider) => p.resume(crypto.randomUUID(), 'chat:1', undefined as never),
		],
		['a bad topic', 'InvalidTopicError', (p: InProcWsProvider) => p.history('no spaces')],
		['a limit of 0', 'InvalidPositionError', (p: InProcWsProvider) => p.history('chat:1', { limit: 0 })],
		['a limit of 1,001', 'InvalidPositionError', (p: InProcWsProvider) => p.history('chat:1', { limit: 1_001 })],
		[
			'since without an epoch',
			'InvalidPositionError',
			(p: InProcWsProvider) => p.history('chat:1', { since: { offset: 1 } as never }),
		],
		[
			'since as a string',
			'InvalidPositionError',
			(p: InProcWsProvider) => p.history('chat:1', { since: 'now' as never }),
		],
		[
			'since together with before',
			'InvalidOptionError',
			(p: InProcWsProvider) =>
				p.history('chat:1', { since: { epoch: 'e', offset: 1 }, before: { epoch: 'e', offset: 9 } }),
		],
		[
			'before as an offset',
			'InvalidPositionError',
			(p: InProcWsProvider) => p.history('chat:1', { before: 12 as never }),
		],
		[
			'before for resume',
			'InvalidOptionError',
			(p: InProcWsProvider) => p.resume(crypto.randomUUID(), 'chat:1', { before: { epoch: 'e', offset: 1 } } as never),
		],
		[
			'resume of an unknown socket',
			'UnknownSocketError',
			(p: InProcWsProvider) => p.resume(crypto.randomUUID(), 'chat:1', {}),
		],
		[
			'a rewind of half a message',
			'InvalidPositionError',
			(p: InProcWsProvider) => p.resume(crypto.randomUUID(), 'chat:1', { rewind: 0.5 }),
		],
	])('%s: %s', async (_, name, call) => {
		const provider = new InProcWsProvider({
			history: HISTORY,
			logger: { debug() {}, info() {}, warn() {}, error() {} },
		});
		await provider.start();
		await expect(call(provider)).rejects.toMatchObject({ name });
		await provider.stop();
	});

	it.each([
		[
			{ since: { epoch: 'e', offset: 1 }, before: { epoch: 'e', offset: 9 } },
			'history() takes only one of since, before and upTo',
		],
		[
			{ before: { epoch: 'e', offset: 1 }, upTo: { epoch: 'e', offset: 9 } },
			'history() takes only one of since, before and upTo',
		],
		[{ upTo: { epoch: 'e', offset: 0.5 } }, 'Invalid upTo.offset 0.5: expected a whole number, 0 or more'],
		[{ before: { epoch: 'e', offset: -1 } }, 'Invalid before.offset -1: expected a whole number, 0 or more'],
		[{ before: { epoch: '', offset: 1 } }, 'Invalid before.epoch "": expected a string'],
		[{ until: 1 }, 'history() has no option until, only since, before, upTo and limit'],
		[7, 'history() takes an object with since, before, upTo or limit, not 7'],
	])('%j as options: says what is wrong and what is allowed', async (options, message) => {
		const provider = new InProcWsProvider({ history: HISTORY });
		await provider.start();
		await expect(provider.history('chat:1', options as never)).rejects.toThrow(message);
		await provider.stop();
	});

	it.each([undefined, null, 7])('%j as what to resume from: says what is allowed', async (from) => {
		const provider = new InProcWsProvider({ history: HISTORY });
		await provider.start();
		const resumed = provider.resume(crypto.randomUUID(), 'chat:1', from as never);
		await expect(resumed).rejects.toThrow(`resume() takes an object with since, rewind or isEntitled, not ${from}`);
		await provider.stop();
	});

	it.each([
		[
			'now',
			'Invalid since "now": a position is { epoch, offset }, as found in a message, a history page or client.positions',
		],
		[{ epoch: 'e', offset: '12' }, 'Invalid since.offset "12": expected a whole number, 0 or more'],
		[{ epoch: 'e' }, 'Invalid since.offset undefined: expected a whole number, 0 or more'],
		[
			{ offset: 1 },
			'Invalid since.epoch undefined: expected a string, as found in a message, a history page or client.positions',
		],
	])('%j as since: names the invalid field', async (since, message) => {
		const provider = new InProcWsProvider({ history: HISTORY });
		await provider.start();
		await expect(provider.history('chat:1', { since: since as never })).rejects.toThrow(message);
		await provider.stop();
	});
});
