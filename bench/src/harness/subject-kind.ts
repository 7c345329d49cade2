import { fileURLToPath } from 'node:url';
import { spawnBun, spawnNode, type ScriptProcess } from '@orijs/testkit';
import { buildForNode } from './peers.ts';

/** The settings with which a subject's process is started. */
export interface ProcessSettings {
	readonly redisPort?: number;
	readonly timesHandOff?: boolean;
}

/** A subject that can be started any number of times. */
export interface SubjectKind {
	readonly name: string;
	/** Whether the subject uses Redis even with a single node. */
	readonly overRedis?: boolean;
	/** A request that the subject answers, in the form in which a client sends it. */
	readonly request: string;
	start(settings: ProcessSettings): Promise<ScriptProcess>;
}

const SAY = { room: 't0', text: 'x'.repeat(64) };
const JSON_REQUEST = jsonRequest('chat.say');
const SOCKET_IO_REQUEST = `421${JSON.stringify(['chat.say', SAY])}`;

/** A request for which the hand-written subject skips validating the reply. */
export const UNVALIDATED_REQUEST: string = jsonRequest('chat.tell');

/** A request handled by an `async` function that awaits nothing. */
export const ASYNC_REQUEST: string = jsonRequest('chat.ask');

function jsonRequest(type: string): string {
	return JSON.stringify({ type, data: SAY, correlationId: '0123456789abcdef' });
}

export function own(name: string, file: string, more: object = {}): SubjectKind {
	return bun(name, new URL(`../subjects/${file}.ts`, import.meta.url), more);
}

function bun(name: string, script: URL, more: object): SubjectKind {
	const env = { NODE_ENV: 'production' };
	return {
		name,
		request: script.pathname.endsWith('/socket-io.ts') ? SOCKET_IO_REQUEST : JSON_REQUEST,
		start: async (settings) => spawnBun(script, { args: [JSON.stringify({ ...settings, ...more })], env }),
	};
}

export function peer(name: string, file: string, more: object = {}): SubjectKind {
	return bun(name, new URL(`../../peers/${file}.ts`, import.meta.url), more);
}

export function onNode(name: string, file: string, more: object = {}): SubjectKind {
	const env = { NODE_ENV: 'production' };
	const script = fileURLToPath(new URL(`../../peers/${file}.ts`, import.meta.url));
	return {
		name,
		request: SOCKET_IO_REQUEST,
		start: async (settings) =>
			spawnNode(await buildForNode(script), { args: [JSON.stringify({ ...settings, ...more })], env }),
	};
}
