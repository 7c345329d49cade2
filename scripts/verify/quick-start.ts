import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { within } from '../../packages/testkit/src/within.ts';
import { run } from '../lib/run.ts';
import { start } from '../lib/start.ts';
import { codeBlock, markedBlock } from './readme.ts';

const TIMEOUT_MS = 10_000;

/**
 * Code that is appended to the program to control it from outside. It prints the port, and broadcasts each line of its
 * input, or prints the number of connections on `count`.
 */
const driver = `
console.log('port', server.port);
for await (const line of console) {
	if (line === 'count') console.log('count', coordinator.getConnectionCount());
	else provider.broadcast(line);
}
`;

/** Runs the quick start as it is in the README, but on a free port, and sends a message through it to a real client. */
export async function runQuickStart(dir: string, readme: string): Promise<void> {
	const printed = codeBlock(readme, 'Bun.serve').split('port: 3000');
	if (printed.length !== 2) throw new Error('The quick start must contain `port: 3000` exactly once.');
	await Bun.write(join(dir, 'quick-start.ts'), printed.join('port: 0') + driver);

	const child = start([process.execPath, 'quick-start.ts'], dir);
	child.stderr.pipe(process.stderr);
	const lines = createInterface({ input: child.stdout });

	const port = await inTime('prints its port', answer(lines, 'port'));
	const client = new WebSocket(`ws://localhost:${port}`);
	await inTime('accepts a client', once(client, 'open'));

	child.stdin.write('count\n');
	const count = await inTime('counts its connections', answer(lines, 'count'));
	if (count !== '1') throw new Error(`Quick start: it counts ${count} connections instead of 1.`);

	const arrival = once(client, 'message');
	child.stdin.write('hello\n');
	const [{ data }] = await inTime('delivers a broadcast', arrival);
	if (data !== 'hello') throw new Error(`Quick start: it delivers ${JSON.stringify(data)} instead of "hello".`);

	client.close();
	child.kill();
}

/**
 * Type-checks the typed quick start. Bun's types reject the plain one, so the README also has the smallest form that
 * they accept.
 */
export async function typecheckQuickStart(dir: string, readme: string): Promise<void> {
	await Bun.write(join(dir, 'typed/quick-start.ts'), markedBlock(readme, 'typed quick start'));
	await run([join(dir, 'node_modules/.bin/tsc')], dir);
}

/** Resolves with the value that the driver prints after this name. Ignores other lines. */
async function answer(lines: Interface, name: string): Promise<string> {
	return await new Promise((resolve) => {
		lines.on('line', function onLine(line: string) {
			const [first, value = ''] = line.split(' ');
			if (first !== name) return;
			lines.off('line', onLine);
			resolve(value);
		});
	});
}

/**
 * Resolves or rejects like `result`, or rejects if it does not settle in time. @param what the expectation, as a verb
 * phrase
 */
function inTime<T>(what: string, result: Promise<T>): Promise<T> {
	return within(TIMEOUT_MS, result, () => new Error(`Quick start: expected within ${TIMEOUT_MS} ms: it ${what}`));
}
