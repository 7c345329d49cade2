import { isRequest } from './process-protocol.ts';
import type { FromChild, Request } from './process-protocol.ts';

/**
 * Answers the requests of the test that started this script with `spawnBun` or `spawnNode`. Requests can overlap. If
 * the handler throws, the request rejects with an error that contains the stack. Requests sent before this call wait
 * for it. Keeps the process alive until the test ends.
 */
export function answerRequests(handler: (request: unknown) => unknown): void {
	process.on('message', (message: unknown) => {
		if (isRequest(message)) void answer(message, handler);
	});
}

/**
 * Sends the test a value that it did not request. Resolves once the operating system has accepted it. From then on, it
 * reaches the test even if this process is killed with SIGKILL, so reports can serve as a log that survives the
 * process.
 */
export function report(body: unknown): Promise<void> {
	return send({ kind: 'testkit:report', body });
}

async function answer({ id, body }: Request, handler: (request: unknown) => unknown): Promise<void> {
	try {
		await send({ kind: 'testkit:answer', id, body: await handler(body) });
	} catch (error) {
		const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
		await send({ kind: 'testkit:failure', id, error: text });
	}
}

function send(message: FromChild): Promise<void> {
	const sent = Promise.withResolvers<void>();
	if (!process.send) throw new Error('no test to send to: start this script with spawnBun or spawnNode');
	process.send(message, undefined, undefined, (error) => (error ? sent.reject(error) : sent.resolve()));
	return sent.promise;
}
