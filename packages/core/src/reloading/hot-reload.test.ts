import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort, scratchDir, until } from '@orijs/testkit';
import { readRetryHint } from '@orijs/websocket/protocol';
import { describe, expect, it, onTestFinished } from 'vitest';
import { isPortFree } from '../test-support/ports.ts';
import {
	answers,
	connectTo,
	type EditedProgram,
	endpointProgram,
	programOf,
	startEdited,
} from '../test-support/edited-program.ts';

describe('an edit under bun --hot', () => {
	it('replaces the application: its sockets are told to reconnect, its hooks run, new code answers', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');
		const client = await connectTo(port);

		program.edit(programOf({ at: port, version: 'two' }));
		const { code, reason } = await client.closed;
		expect(code).toBe(1012);
		expect(readRetryHint(reason)).toBeLessThanOrEqual(200);
		await answers(port, 'two');
		const next = await connectTo(port);
		next.send('hi');
		expect(await next.received(2)).toEqual(['two', 'two: hi']);
		expect(written(program)).toEqual(['one listens', 'one has shut down', 'two listens']);
	});

	it.each(['SIGTERM', 'SIGINT'] as const)(
		'leaves %s to the newest application, which stops cleanly, and the process exits with 0',
		async (signal) => {
			const port = await freePort();
			const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
			await answers(port, 'one');
			program.edit(programOf({ at: port, version: 'two' }));
			await answers(port, 'two');
			const client = await connectTo(port);

			program.process.kill(signal);
			expect(await client.closed).toMatchObject({ code: 1012 });
			expect(await program.process.exited).toEqual({ code: 0, signal: null });
			expect(written(program)).toEqual(['one listens', 'one has shut down', 'two listens', 'two has shut down']);
		},
	);

	it('leaves nothing behind, however often it is repeated', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'edit 0' }));
		await answers(port, 'edit 0');
		const first = await leftovers(program, port);
		for (let i = 1; i <= 10; i++) {
			const client = await connectTo(port);
			program.edit(programOf({ at: port, version: `edit ${i}` }));
			expect(await client.closed).toMatchObject({ code: 1012 });
			await answers(port, `edit ${i}`);
		}

		let last = first;
		// The first count may include sockets that were still closing.
		const isClean = async (): Promise<boolean> => {
			last = await leftovers(program, port);
			return Bun.deepEquals(last.listeners, first.listeners) && last.sockets <= first.sockets;
		};
		await until(isClean, {
			what: () => `the process has no more than before, ${JSON.stringify(first)}, not ${JSON.stringify(last)}`,
		});
		expect(first.listeners).toEqual([1, 1, expect.any(Number)]);
	});

	it('waits only a moment for a handler that does not finish', async () => {
		const port = await freePort();
		const onMessage = `() => { console.log('handling'); return new Promise(() => {}); }`;
		const program = startEdited('--hot', programOf({ at: port, version: 'one', onMessage }));
		await answers(port, 'one');
		const client = await connectTo(port);
		client.send('never handled');
		await program.wrote('handling');

		program.edit(programOf({ at: port, version: 'two' }));
		// Much less than the 10 s that `stop` would wait.
		await answers(port, 'two');
		expect(await client.closed).toMatchObject({ code: 1012 });
	});
});

it('an edit under bun --hot replaces an endpoint in a server of one’s own: its sockets are told to reconnect', async () => {
	const port = await freePort();
	const program = startEdited('--hot', endpointProgram(port, 'one'));
	await program.wrote('one has started');
	for (const [before, after] of [
		['one', 'two'],
		['two', 'three'],
	] as const) {
		const client = await connectTo(port);
		client.send('hi');
		expect(await client.received(2)).toEqual([before, `${before}: hi`]);

		program.edit(endpointProgram(port, after));
		expect(await client.closed).toMatchObject({ code: 1012 });
		await program.wrote(`${after} has started`);
		await program.wrote(`${before} has closed one`);
		await answers(port, after);
	}
	const last = await connectTo(port);
	expect(await last.next()).toBe('three');
});

describe('a shutdown hook that never ends', () => {
	it('delays the next application for 10 s, and signals still end the process', { timeout: 30_000 }, async () => {
		const port = await freePort();
		const calls = `.onShutdown(() => new Promise(() => {}))`;
		const program = startEdited('--hot', programOf({ at: port, version: 'one', calls }));
		await answers(port, 'one');
		program.edit(programOf({ at: port, version: 'two' }));
		await until(() => written(program).includes('two listens'), { what: 'the next one listens', timeoutMs: 20_000 });
		await answers(port, 'two');

		const response = await fetch(`http://localhost:${port}/listeners`, { keepalive: false });
		expect(((await response.json()) as number[]).slice(0, 2)).toEqual([1, 1]);
		program.process.kill('SIGTERM');
		await program.wrote('two has shut down');
		// Signals within 300 ms count as one.
		await Bun.sleep(400);
		program.process.kill('SIGTERM');
		expect(await program.process.exited).toEqual({ code: 1, signal: null });
	});
});

describe('an edit under bun --hot that fails', () => {
	it.each([
		['cannot be parsed', () => 'const ('],
		[
			'throws before it listens',
			(port: number) => programOf({ at: port, version: 'two', before: `throw new Error('no');` }),
		],
	])('because it %s leaves the application running until the next edit', async (_, broken) => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');
		const client = await connectTo(port);

		program.edit(broken(port));
		await program.wrote('error: ');
		await answers(port, 'one');
		client.send('still');
		expect(await client.received(2)).toEqual(['one', 'one: still']);

		program.edit(programOf({ at: port, version: 'three' }));
		expect(await client.closed).toMatchObject({ code: 1012 });
		await answers(port, 'three');
		expect(written(program)).toEqual(['one listens', 'one has shut down', 'three listens']);
	});

	it('while starting has already stopped the earlier application, as a restart would; the next edit listens', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');

		const calls = `.onStartup(() => { throw new Error('no database'); })`;
		program.edit(programOf({ at: port, version: 'two', calls }));
		await program.wrote('error: no database');
		expect(await isPortFree(port)).toBe(true);

		program.edit(programOf({ at: port, version: 'three' }));
		await answers(port, 'three');
		program.process.kill('SIGTERM');
		expect(await program.process.exited).toEqual({ code: 0, signal: null });
	});

	it('because two of its applications have the same port says so', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');

		program.edit(programOf({ at: port, version: 'two' }, { at: port, version: 'three' }));
		await program.wrote('EADDRINUSE');
		await answers(port, 'two');
	});

	it('is overtaken by a later edit while it starts: it never listens, and nothing fails', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');

		const calls = `.onStartup(() => { console.log('two starts'); return new Promise((go) => globalThis.go = go); })`;
		const after = `console.log('two goes on');`;
		program.edit(programOf({ at: port, version: 'two', isAwaited: false, calls, after }));
		await program.wrote('two starts');
		program.edit(programOf({ at: port, version: 'three', before: 'globalThis.go();' }));
		await answers(port, 'three');

		program.process.kill('SIGTERM');
		expect(await program.process.exited).toEqual({ code: 0, signal: null });
		expect(written(program)).toEqual(['one listens', 'one has shut down', 'three listens', 'three has shut down']);
		expect(program.process.output()).not.toContain('two goes on');
		expect(program.process.output()).not.toMatch(/error/i);
	});
});

describe('under bun --hot, a program', () => {
	it('that lets the system pick ports keeps them, each for the same application', async () => {
		const program = startEdited('--hot', programOf({ at: 0, version: 'a1' }, { at: 0, version: 'b1' }));
		await program.wrote('b1 listens');
		const [portA, portB] = portsOf(program);
		expect(portA).not.toBe(portB);
		const clients = [await connectTo(portA!), await connectTo(portB!)];

		program.edit(programOf({ at: 0, version: 'a2' }, { at: 0, version: 'b2' }));
		for (const { closed } of clients) expect(await closed).toMatchObject({ code: 1012 });
		await answers(portA!, 'a2');
		await answers(portB!, 'b2');
	});

	it('that listens on a Unix socket keeps it', async () => {
		const dir = scratchDir('orijs-unix-');
		onTestFinished(() => dir.remove());
		const unix = join(dir.path, 'app.sock');
		const answersHere = (text: string): Promise<void> =>
			until(
				async () => {
					const response = await fetch('http://localhost', { unix, keepalive: false }).catch(() => undefined);
					return (await response?.text().catch(() => undefined)) === text;
				},
				{ what: `${unix} answers ${text}` },
			);
		const at = JSON.stringify({ unix });
		const program = startEdited('--hot', programOf({ at, version: 'one' }));
		await answersHere('one');
		program.edit(programOf({ at, version: 'two' }));
		await answersHere('two');

		program.process.kill('SIGTERM');
		expect(await program.process.exited).toEqual({ code: 0, signal: null });
		expect(existsSync(unix)).toBe(false);
	});

	it('may move an application to another port, or remove one: the earlier applications stop', async () => {
		const [before, after, other] = [await freePort(), await freePort(), await freePort()];
		const program = startEdited('--hot', programOf({ at: before, version: 'one' }, { at: other, version: 'other' }));
		await answers(other, 'other');

		program.edit(programOf({ at: `{ port: ${after}, hostname: 'localhost' }`, version: 'two' }));
		await answers(after, 'two');
		expect([await isPortFree(before), await isPortFree(other)]).toEqual([true, true]);
	});

	it('without any application after an edit keeps the last one, which signals still stop', async () => {
		const port = await freePort();
		const program = startEdited('--hot', programOf({ at: port, version: 'one' }));
		await answers(port, 'one');
		program.edit(`console.log('nothing listens');`);
		await program.wrote('nothing listens');
		await answers(port, 'one');

		program.edit(programOf({ at: port, version: 'two' }));
		await answers(port, 'two');
		program.edit(`console.log('nothing again');`);
		await program.wrote('nothing again');
		program.process.kill('SIGTERM');
		expect(await program.process.exited).toEqual({ code: 0, signal: null });
		expect(written(program).at(-1)).toBe('two has shut down');
	});
});

/** The lines that the program's applications have written, in order. */
function written(program: EditedProgram): string[] {
	return program.process.output().match(/\w+ (listens|has shut down)/g) ?? [];
}

function portsOf(program: EditedProgram): number[] {
	return Array.from(program.process.output().matchAll(/listens on (\d+);/g), ([, port]) => Number(port));
}

/** What a generation could leave behind in the process: listeners for signals and exit, and open sockets. */
async function leftovers({ process }: EditedProgram, port: number) {
	const response = await fetch(`http://localhost:${port}/listeners`, { keepalive: false });
	const listeners = (await response.json()) as number[];
	const sockets = readdirSync(`/proc/${process.pid}/fd`).length;
	return { listeners, sockets };
}
