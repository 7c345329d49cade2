import { RecordingLogger, scratchDir, spawnBun, until } from '@orijs/testkit';
import { InProcWsProvider } from '@orijs/websocket';
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Application, ApplicationError, type ListenOptions } from '../index.ts';
import { connectRawWebSocket } from '../test-support/raw-web-socket.ts';

describe('listen() on a Unix socket', () => {
	it('serves routes and WebSockets there, and removes the file when it stops', async () => {
		const unix = socketPath();
		const app = new Application()
			.routes({ '/': () => new Response('by socket') })
			.websocket()
			.onWebSocket({ message: (ws, message) => void ws.send(`echo ${message.toString()}`) });
		const server = await app.listen({ unix });

		expect([server.port, existsSync(unix)]).toEqual([undefined, true]);
		expect(await get(unix)).toBe('by socket');
		const client = await connectRawWebSocket(unix);
		client.send('hello');
		await until(() => client.texts.length > 0, { what: 'the echo has arrived' });
		expect(client.texts).toEqual(['echo hello']);

		await app.stop();
		await client.closed();
		expect([client.close?.code, existsSync(unix)]).toEqual([1012, false]);
	});

	it('replaces the file that a killed process has left', async () => {
		const unix = socketPath();
		const other = spawnBun(new URL('../test-support/unix-server-process.ts', import.meta.url), {
			env: { UNIX_SOCKET: unix },
		});
		await other.request('ready');
		other.kill();
		await other.exited;
		expect(existsSync(unix)).toBe(true);

		const app = new Application().routes({ '/': () => new Response('the new one') });
		onTestFinished(() => app.stop());
		await app.listen({ unix });
		expect(await get(unix)).toBe('the new one');
	});

	it('rejects if another server listens there, running or suspended, which keeps the socket', async () => {
		const unix = socketPath();
		const other = spawnBun(new URL('../test-support/unix-server-process.ts', import.meta.url), {
			env: { UNIX_SOCKET: unix },
		});
		await other.request('ready');
		const provider = new InProcWsProvider({ logger: new RecordingLogger() });

		await fails(new Application().websocket(provider), unix, `listen(): ${unix} is in use: a server listens on it`);
		await expect(provider.publish('t', 'x')).rejects.toMatchObject({ name: 'ProviderStoppedError' });
		other.freeze();
		await fails(new Application(), unix, `listen(): ${unix} is in use: a server listens on it`);
		other.thaw();
		expect(await get(unix)).toBe('another process');
		await other.stop();
	});

	it('rejects if the path belongs to another file, which it leaves as it is', async () => {
		const unix = socketPath();
		writeFileSync(unix, 'notes');

		await fails(new Application(), unix, `listen(): ${unix} exists and is not a socket; it was left as it is`);
		expect(readFileSync(unix, 'utf8')).toBe('notes');
	});

	it("rejects with the system's error if the folder does not exist", async () => {
		const unix = join(socketPath(), 'app.sock');
		await expect(new Application().listen({ unix })).rejects.toMatchObject({ code: 'ENOENT' });
	});

	it('looks at the file only after the startup hooks, which may fail', async () => {
		const unix = socketPath();
		const first = new Application();
		await first.listen({ unix });
		const app = new Application().onStartup(() => {
			throw new Error('not today');
		});

		await expect(app.listen({ unix })).rejects.toThrow('not today');
		expect(existsSync(unix)).toBe(true);
		await first.stop();
	});

	it('creates the file with the mode of the umask, which the program may change', async () => {
		const unix = socketPath();
		const app = new Application().routes({ '/': () => new Response('for the group') });
		onTestFinished(() => app.stop());
		await app.listen({ unix });

		chmodSync(unix, 0o660);
		expect(await get(unix)).toBe('for the group');
	});
});

describe('the path of a Unix socket', () => {
	it.each<[string, unknown]>([
		['""', ''],
		['7', 7],
		['null', null],
		['true', true],
		['URL {…}', new URL('file:///run/app.sock')],
		[JSON.stringify('\0app'), '\0app'],
		[`"/${'a'.repeat(63)}`, `/${'a'.repeat(107)}`],
		[`"/${'ä'.repeat(54)}`, `/${'ä'.repeat(54)}`],
	])('cannot be %s', async (shown, unix) => {
		const listening = new Application().listen({ unix: unix as string });
		await expect(listening).rejects.toThrow(ApplicationError);
		await expect(listening).rejects.toThrow(
			"listen(): unix must be the path of a socket file, such as '/run/app.sock'",
		);
		await expect(listening).rejects.toThrow(`bytes, not ${shown}`);
	});

	it.each<[string, Record<string, unknown>]>([
		['port', { port: 3000 }],
		['port', { port: 0 }],
		['hostname', { hostname: 'localhost' }],
		['reusePort', { reusePort: false }],
	])('cannot be combined with %s', async (name, option) => {
		const listening = new Application().listen({ unix: socketPath(), ...option });
		await expect(listening).rejects.toThrow(ApplicationError);
		await expect(listening).rejects.toThrow(`listen(): unix and ${name} cannot be combined`);
	});
});

describe('a listening address', () => {
	it('is not a Unix socket if `unix` is undefined', async () => {
		const app = new Application();
		onTestFinished(() => app.stop());
		const options = { port: 0, unix: undefined } as unknown as ListenOptions;
		expect((await app.listen(options)).port).toEqual(expect.any(Number));
	});
});

function socketPath(): string {
	const dir = scratchDir('orijs-unix-');
	onTestFinished(() => dir.remove());
	return join(dir.path, 'app.sock');
}

/** Requests `/`, and returns the text of the answer. */
async function get(unix: string): Promise<string> {
	return await (await fetch('http://localhost/', { unix })).text();
}

async function fails(app: Application, unix: string, message: string): Promise<void> {
	const listening = app.listen({ unix });
	await expect(listening).rejects.toThrow(ApplicationError);
	await expect(listening).rejects.toThrow(message);
}
