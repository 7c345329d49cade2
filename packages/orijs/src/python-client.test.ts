import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findPython } from '@orijs/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startServer } from './test-support/python-server.ts';

const dir = join(import.meta.dirname, '../python-client');
const scenarios = readFileSync(join(dir, 'test_client.py'), 'utf8').match(/(?<=async def )test_\w+/g) ?? [];

describe('a client in Python, written from PROTOCOL.md', () => {
	let server: Awaited<ReturnType<typeof startServer>>;
	beforeAll(async () => {
		server = await startServer();
	});
	afterAll(() => server.stop());

	// Each is a process of its own, and all of them share what the machine has.
	it.concurrent.each(scenarios)('%s', { timeout: 60_000 }, async (name) => {
		const python = findPython();
		if (python === undefined) throw new Error('Python is not installed: run `bun run ensure-python` to install it');
		const run = Bun.spawn([python, '-m', 'unittest', `test_client.TestClient.${name}`], {
			cwd: dir,
			env: { ...process.env, ORIJS_URL: server.url, PYTHONDONTWRITEBYTECODE: '1' },
			stdout: 'ignore',
			stderr: 'pipe',
		});
		const output = await run.stderr.text();
		expect(await run.exited, output).toBe(0);
		expect(output).toContain('Ran 1 test');
	});
});
