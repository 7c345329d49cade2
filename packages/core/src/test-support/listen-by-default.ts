// A process that listens without choosing a port, and reports which one it got; that port may be in use.

import { report } from '@orijs/testkit';
import { Application, type ListenOptions } from '../index.ts';

const ways = [undefined, {}, { hostname: 'localhost' }, { port: undefined } as object] satisfies (
	| ListenOptions
	| undefined
)[];
for (const at of ways) {
	const app = new Application();
	const where = app.listen(at).then(
		({ port }) => `listens on ${port}`,
		(error: Error) => error.message,
	);
	await report(await where);
	await app.stop();
}
process.disconnect?.();
