import { fileURLToPath } from 'node:url';
import { ownProcess } from './owned-process.ts';
import type { Exit, OwnedProcess } from './owned-process.ts';
import { isFromChild } from './process-protocol.ts';
import type { Request } from './process-protocol.ts';
import { timeoutError, within } from './within.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export interface SpawnOptions {
	args?: readonly string[];
	/** Added to this process's environment; `undefined` removes a variable. */
	env?: Record<string, string | undefined>;
	/** Export conditions; default `['@orijs/source']`, which loads our packages from their sources. */
	conditions?: readonly string[];
}

/** A script in a separate process that is killed when the test ends. */
export interface ScriptProcess extends OwnedProcess {
	/** What the script passed to `report`, in order. Complete once `exited` has resolved. */
	readonly reports: readonly unknown[];
	/**
	 * Resolves with what the script's `answerRequests` handler returns. Waits if the script is still starting. Rejects
	 * if the handler throws, if the process ends first or has ended (with its output), and after `timeoutMs` (default
	 * 10000).
	 */
	request<Reply = unknown>(message: unknown, timeoutMs?: number): Promise<Reply>;
}

/**
 * Starts a script, which may use `answerRequests` and `report`. Messages may contain what structured clone supports.
 */
export function spawnBun(script: string | URL, options: SpawnOptions = {}): ScriptProcess {
	const { args = [], env = {}, conditions = ['@orijs/source'] } = options;
	const path = script instanceof URL ? fileURLToPath(script) : script;
	const command = [process.execPath, ...conditions.map((name) => `--conditions=${name}`), path, ...args];
	return spawnScript(path, command, env, 'advanced');
}

/** Like {@link spawnBun}, for a JavaScript file and Node. Messages may contain what JSON supports. */
export function spawnNode(
	script: string,
	{ args = [], env = {} }: Omit<SpawnOptions, 'conditions'> = {},
): ScriptProcess {
	return spawnScript(script, [findNode(), script, ...args], env, 'json');
}

/** Under `bun --bun`, the first `node` in PATH is a link to Bun. */
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
		else waiting.get(message.id)?.reject(new Error(`${path} failed to answer: ${message.error}`));
	};

	const child = ownProcess(command, { env, onMessage, serialization });
	const ended = ({ code, signal }: Exit): Error => new Error(`${path} ended with ${signal ?? code}\n${child.output()}`);
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
		return `${path} gave no answer to ${Bun.inspect(body)} within ${timeoutMs} ms\n${child.output()}`;
	}
}
