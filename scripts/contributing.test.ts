import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { run } from './lib/run.ts';
import { root } from './lib/workspaces.ts';
import { codeBlock } from './verify/readme.ts';

const contributing = readFileSync(join(root, 'CONTRIBUTING.md'), 'utf8');
const workspace = join(root, 'packages/websocket');
// Inside the package, so that the package's own name resolves. Git ignores the folder.
const dir = join(workspace, '.vitest/sample');

describe('the transport in CONTRIBUTING.md', () => {
	beforeAll(() => {
		mkdirSync(dir, { recursive: true });
		writeFileSync(join(dir, 'my-bus.ts'), codeBlock(contributing, 'class MyBus'));
		writeFileSync(join(dir, 'my-bus.test.ts'), codeBlock(contributing, 'busConformance('));
		writeFileSync(
			join(dir, 'tsconfig.json'),
			JSON.stringify({ extends: '../../../../tsconfig.base.json', include: ['.'] }),
		);
	});
	afterAll(() => rmSync(dir, { recursive: true }));

	it('compiles', async () => {
		await run([join(root, 'node_modules/.bin/tsc'), '-p', dir], root);
	});

	it('passes the conformance suite', async () => {
		const config = join(root, 'scripts/vitest.config.ts');
		await run([process.execPath, '--bun', 'vitest', 'run', '--root', dir, '--config', config], workspace);
	});
});
