import { fileURLToPath } from 'node:url';
import { ownProcess } from './owned-process.ts';
import type { Exit, OwnedProcess } from './owned-process.ts';
import { isFromChild } from './process-protocol.ts';
import type { Request } from './process-protocol.ts';
import { timeoutError, within } from './within.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export interface SpawnOptions {
	args?: readonly string[];
	/** Variables to add to this process's environment; `undefined` removes a variable. */
	env?: Record<string, string | undefined>;
	/**
	 * Export conditions. Default `['@orijs/source']`, with which this repository's packages are loaded from their
	 * sources.
	 */
	conditions?: readonly string[];
}

/** A script in a separate process that is killed when the test ends. */
export interface ScriptProcess extends OwnedProcess {
	/** The values that the script has passed to `report`, in order. The list is complete once `exited` has resolved. */
	readonly reports: readonly unknown[];
	/**
	 * Sends a request, and resolves with the result of the script's `answerRequests` handler. Waits if the script is
	 * still starting. Rejects if the handler throws, if the process ends or has ended (with its output), or after
	 * `timeoutMs` (default 10000).
	 */
	request<Reply = unknown>(message: unknown, timeoutMs?: number): Promise<Reply>;
}

/**
 * Starts a script on Bun. The script can use `answerRequests` and `report`. Messages can contain all values that
 * structured clone supports.
 */
export function spawnBun(script: string | URL, options: SpawnOptions = {}): ScriptProcess {
	const { args = [], env = {}, conditions = ['@orijs/source'] } = options;
	const path = script instanceof URL ? fileURLToPath(script) : script;
	const command = [process.execPath, ...conditions.map((name) => `--conditions=${name}`), path, ...args];
	return spawnScript(path, command, env, 'advanced');
}

/** Like {@link spawnBun}, but runs a JavaScript file on Node. Messages can only contain JSON values. */
export function spawnNode(
	script: string,
	{ args = [], env = {} }: Omit<SpawnOptions, 'conditions'> = {},
): ScriptProcess {
	return spawnScript(script, [findNode(), script, ...args], env, 'json');
}

/** Returns the path of the real Node. Under `bun --bun`, the first `node` in PATH is a link to Bun. */
function findNode(): string {
	const path = (process.env['PATH'] ?? '').split(':').filter((directory) => !/\/bun-node[^/]*$/.test(directory));
	const node = Bun.which('node', { PATH: path.join(':') });
	if (node === null) throw new Error('Node is not installed: there is no `node` in PATH');
	return node;
}

function spawnScript(
	path: string,
	command: readonly string[],
	env: NonNullable<SpawnOptions['env']>,
	serialization: 'advanced' | 'json',
): ScriptProcess {
	const waiting = new Map<number, PromiseWithResolvers<unknown>>();
	const reports: unknown[] = [];
	let exit: Exit | undefined;
	let lastId = 0;

	const onMessage = (message: unknown): void => {
		if (!isFromChild(message)) return;
		if (message.kind === 'testkit:report') reports.push(message.body);
		else if (message.kind === 'testkit:answer') waiting.get(message.id)?.resolve(message.body);
		else waiting.get(message.id)?.reject(new Error(`${path} failed to answer a request: ${message.error}`));
	};

	const child = ownProcess(command, { env, onMessage, serialization });
	const ended = ({ code, signal }: Exit): Error =>
		new Error(`${path} exited with ${signal ?? code}\n${child.output()}`);
	void child.exited.then((result) => {
		exit = result;
		for (const { reject } of waiting.values()) reject(ended(result));
	});

	return {
		...child,
		reports,
		async request<Reply>(body: unknown, timeoutMs = REQUEST_TIMEOUT_MS): Promise<Reply> {
			if (exit) throw ended(exit);
			const id = ++lastId;
			const reply = Promise.withResolvers<unknown>();
			waiting.set(id, reply);
			try {
				child.send({ kind: 'testkit:request', id, body } satisfies Request);
				return (await within(
					timeoutMs,
					reply.promise,
					timeoutError(() => noAnswer(body, timeoutMs)),
				)) as Reply;
			} finally {
				waiting.delete(id);
			}
		},
	};

	function noAnswer(body: unknown, timeoutMs: number): string {
		return `${path} did not answer ${Bun.inspect(body)} within ${timeoutMs} ms\n${child.output()}`;
	}
}
