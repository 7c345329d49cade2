import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { connectSpeaker, RecordingLogger, type TestClient } from '@orijs/testkit';
import { InvalidTopicError, SocketError, SocketMessage } from '@orijs/websocket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Do = SocketMessage.define({ name: 'do', data: z.unknown(), reply: z.unknown() });

describe('with two copies of @orijs/websocket, the other one minified', () => {
	let folder: string;
	let copy: typeof import('@orijs/websocket');
	beforeAll(async () => {
		folder = mkdtempSync(join(tmpdir(), 'orijs-copy-'));
		const { outputs } = await Bun.build({
			entrypoints: [fileURLToPath(new URL('../../../websocket/src/index.ts', import.meta.url))],
			target: 'bun',
			minify: true,
		});
		const file = join(folder, 'copy.mjs');
		await Bun.write(file, await (outputs[0] as Blob).text());
		copy = (await import(/* @vite-ignore */ file)) as typeof copy;
		expect(copy.SocketError).not.toBe(SocketError);
	});
	afterAll(() => rmSync(folder, { recursive: true, force: true }));

	it('a guard refuses with the code of its SocketError', async () => {
		const client = await connectTo(
			new SocketRouter().guard(() => {
				throw new copy.SocketError('banned', 'You were banned');
			}),
		);

		sendTyped(client, '@auth', null, 'a');
		expect(await client.closed).toEqual({ code: 4401, reason: 'banned' });
	});

	it.each<[string, () => Error]>([
		['room_full', () => new copy.SocketError('room_full', 'Only 8 may be in here')],
		['unavailable', () => new copy.BusUnavailableError('t', {})],
	])('a handler answers %s', async (code, error) => {
		const client = await connectTo(
			new SocketRouter().on(Do, () => {
				throw error();
			}),
		);

		sendTyped(client, 'do', null, 'a');
		expect(parse(await client.next())).toMatchObject({ correlationId: 'a', error: { code } });
	});

	it('instanceof accepts errors of the other copy, and no others', () => {
		const error = new copy.SocketError('room_full', '');
		class Banned extends SocketError {}

		expect(error).toBeInstanceOf(SocketError);
		expect(new SocketError('room_full', '')).toBeInstanceOf(copy.SocketError);
		expect(error).not.toBeInstanceOf(InvalidTopicError);
		expect(error).not.toBeInstanceOf(Banned);
		expect(new Banned('banned', '')).toBeInstanceOf(Banned);
		expect(new Banned('banned', '')).toBeInstanceOf(copy.SocketError);
		for (const other of [new Error('x'), { name: 'SocketError' }, null, 'SocketError'])
			expect(other).not.toBeInstanceOf(SocketError);
	});
});

async function connectTo(router: SocketRouter): Promise<TestClient> {
	const app = new Application({ logger: new RecordingLogger() }).websocket().socketRouter(router);
	return connectSpeaker((await serve(app)).ws);
}
