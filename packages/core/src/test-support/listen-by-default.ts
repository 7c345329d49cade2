// A process that starts applications without choosing a port. For each, reports the port it got, or the error if
// listening failed.

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
