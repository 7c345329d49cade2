import { fileURLToPath } from 'node:url';
import { ownProcess } from './owned-process.ts';
import type { Exit, OwnedProcess } from './owned-process.ts';
import { isFromChild } from './process-protocol.ts';
import type { Request } from './process-protocol.ts';
import { timeoutError, within } from './within.ts';

const REQUEST_TIMEOUT_MS = 10_000;

export interface SpawnOptions {
	args?: readonly string[];
	/** Added to this process's environment; `undefined` takes a variable away. */
	env?: Record<string, string | undefined>;
	/** Export conditions; default `['@orijs/source']`, which runs our packages from their sources. */
	conditions?: readonly string[];
}

/** A script that runs as a process of its own, and dies with the test. */
export interface ScriptProcess extends OwnedProcess {
	/** What the script told with `report`, in order. Complete once `exited` has resolved. */
	readonly reports: readonly unknown[];
	/**
	 * What the script's `answerRequests` handler returned; it waits for a script that is still starting. Rejects when the
	 * handler threw, when the process has ended or ends first (with its output), and after `timeoutMs` (default 10000).
	 */
	request<Reply = unknown>(message: unknown, timeoutMs?: number): Promise<Reply>;
}

/** The script may use `answerRequests` and `report`, or neither. Messages may hold what structured clone can copy. */
export function spawnBun(script: string | URL, options: SpawnOptions = {}): ScriptProcess {
	const { args = [], env = {}, conditions = ['@orijs/source'] } = options;
	const path = script instanceof URL ? fileURLToPath(script) : script;
	// The tests run on Bun, so its executable is the one we run on.
	const command = [process.execPath, ...conditions.map((name) => `--conditions=${name}`), path, ...args];
	return spawnScript(path, command, env, 'advanced');
}

/** As {@link spawnBun}, for a JavaScript file that runs on Node. Messages may hold what JSON can. */
export function spawnNode(
	script: string,
	{ args = [], env = {} }: Omit<SpawnOptions, 'conditions'> = {},
): ScriptProcess {
	return spawnScript(script, [findNode(), script, ...args], env, 'json');
}

/** Under `bun --bun`, the first `node` in the PATH is Bun in disguise. */
function findNode(): string {
	const path = (process.env['PATH'] ?? '').split(':').filter((directory) => !/\/bun-node[^/]*$/.test(directory));
	const node = Bun.which('node', { PATH: path.join(':') });
	if (node === null) throw new Error('Node is not installed: there is no `node` in the PATH');
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
					timeoutError(() => silent(body, timeoutMs)),
				)) as Reply;
			} finally {
				waiting.delete(id);
			}
		},
	};

	function silent(body: unknown, timeoutMs: number): string {
		return `${path} gave no answer to ${Bun.inspect(body)} within ${timeoutMs} ms\n${child.output()}`;
	}
}
