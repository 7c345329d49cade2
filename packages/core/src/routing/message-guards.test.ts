import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { SocketError, SocketMessage } from '@orijs/websocket';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, type MessageGuard, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.string() });
const SECRET = 'postgres://admin:hunter2@db';

describe('the guards of a message', () => {
	it('run in order with the validated data, until one does not return true', async () => {
		const asked: unknown[] = [];
		const guard = (name: string, isAllowed: boolean): MessageGuard<object, typeof Do> => {
			return async ({ data }) => {
				asked.push([name, data]);
				return isAllowed;
			};
		};
		const guards = [guard('first', true), guard('second', false), guard('third', true)];
		const { client, handled } = await guarded(guards);

		sendTyped(client, 'do', 'it', 'a');
		expect(parse(await client.next())).toEqual({
			type: 'do',
			correlationId: 'a',
			error: { code: 'forbidden', message: 'Not authorized to send do' },
		});
		expect(asked).toEqual([
			['first', 'it'],
			['second', 'it'],
		]);
		expect(handled).toEqual([]);
	});

	it.each<[string, () => unknown]>([
		['false', () => false],
		['a promise of false', async () => false],
		['undefined', () => undefined],
		['a promise of undefined', async () => undefined],
		['1', () => 1],
		['"true"', () => 'true'],
	])('refuse with any result but true: %s', async (_, guard) => {
		const { client, handled } = await guarded([guard as MessageGuard<object, typeof Do>]);

		sendTyped(client, 'do', null, 'a');
		expect(parse(await client.next())['error']).toMatchObject({ code: 'forbidden' });
		expect(handled).toEqual([]);
	});

	it.each(['at once', 'later'])('refuse with the code of a SocketError, thrown %s', async (when) => {
		const guard = ({ data }: { data: unknown }): Promise<boolean> => {
			const error = data === 'own' ? new SocketError('not_a_member', 'Join first') : new Error(SECRET);
			if (when === 'later') return Promise.reject(error);
			throw error;
		};
		const { client, handled, log } = await guarded([guard]);

		sendTyped(client, 'do', 'own', 'a');
		sendTyped(client, 'do', 'other', 'b');
		const [own, other] = (await client.received(2)).map(parse);
		expect(own?.['error']).toEqual({ code: 'not_a_member', message: 'Join first' });
		expect(other?.['error']).toEqual({ code: 'internal', message: 'Internal server error' });
		expect(handled).toEqual([]);
		expect(log.errors.map(({ details }) => details?.['err'])).toEqual([new Error(SECRET)]);
	});
});

interface Guarded {
	readonly client: TestClient;
	readonly log: RecordingLogger;
	/** The data of the messages that were handled. */
	readonly handled: unknown[];
}

async function guarded(guards: readonly MessageGuard<object, typeof Do>[]): Promise<Guarded> {
	const log = new RecordingLogger();
	const handled: unknown[] = [];
	const handler = ({ data }: { data: unknown }): string => {
		handled.push(data);
		return 'done';
	};
	const router = new SocketRouter().on(Do, handler, { guards });
	const { ws } = await serve(new Application({ logger: log }).websocket().socketRouter(router));
	return { client: await connectSpeaker(ws), log, handled };
}
