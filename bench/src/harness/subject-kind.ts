import { fileURLToPath } from 'node:url';
import { spawnBun, spawnNode, type ScriptProcess } from '@orijs/testkit';
import { buildForNode } from './peers.ts';

/** What a subject's process is told when it starts. */
export interface ProcessSettings {
	readonly redisPort?: number;
	readonly timesHandOff?: boolean;
}

/** A subject that can be started, as often as wanted. */
export interface SubjectKind {
	readonly name: string;
	/** Over Redis also where there is only one node. */
	readonly overRedis?: boolean;
	/** A request that it answers, as a client sends it. */
	readonly request: string;
	start(settings: ProcessSettings): Promise<ScriptProcess>;
}

const SAY = { room: 't0', text: 'x'.repeat(64) };
const JSON_REQUEST = JSON.stringify({ type: 'chat.say', data: SAY, correlationId: '0123456789abcdef' });
const SOCKET_IO_REQUEST = `421${JSON.stringify(['chat.say', SAY])}`;

function own(name: string, file: string): SubjectKind {
	return bun(name, new URL(`../subjects/${file}.ts`, import.meta.url), {});
}

function bun(name: string, script: URL, more: object): SubjectKind {
	const env = { NODE_ENV: 'production' };
	return {
		name,
		request: script.pathname.endsWith('/socket-io.ts') ? SOCKET_IO_REQUEST : JSON_REQUEST,
		start: async (settings) => spawnBun(script, { args: [JSON.stringify({ ...settings, ...more })], env }),
	};
}

function peer(name: string, file: string, more: object = {}): SubjectKind {
	return bun(name, new URL(`../../peers/${file}.ts`, import.meta.url), more);
}

function onNode(name: string, file: string, more: object = {}): SubjectKind {
	const env = { NODE_ENV: 'production' };
	const script = fileURLToPath(new URL(`../../peers/${file}.ts`, import.meta.url));
	return {
		name,
		request: SOCKET_IO_REQUEST,
		start: async (settings) =>
			spawnNode(await buildForNode(script), { args: [JSON.stringify({ ...settings, ...more })], env }),
	};
}

// What it stands on
export const rawBun: SubjectKind = own('raw Bun', 'raw-bun');
export const bareIoredis: SubjectKind = own('bare ioredis', 'bare-ioredis');
export const channelEach: SubjectKind = { ...own('raw Bun, a Redis channel each', 'channel-each'), overRedis: true };
export const jsonEnvelope: SubjectKind = own('JSON envelope', 'json-envelope');

// This system
export const orijs: SubjectKind = own('orijs', 'orijs');

export const orijsRedis: SubjectKind = { ...orijs, name: 'orijs, Redis', overRedis: true };

// Peers
export const crossws: SubjectKind = peer('crossws', 'crossws');
export const crosswsRedis: SubjectKind = peer('crossws, Redis', 'crossws');
export const socketIoBun: SubjectKind = peer('Socket.IO on Bun', 'socket-io');
export const socketIoNode: SubjectKind = onNode('Socket.IO on Node', 'socket-io');
export const socketIoBunRedis: SubjectKind = peer('Socket.IO on Bun, Redis', 'socket-io', { adapter: 'redis' });
export const socketIoBunSharded: SubjectKind = peer('Socket.IO on Bun, sharded', 'socket-io', { adapter: 'sharded' });
export const socketIoBunStreams: SubjectKind = peer('Socket.IO on Bun, streams', 'socket-io', { adapter: 'streams' });
export const socketIoNodeRedis: SubjectKind = onNode('Socket.IO on Node, Redis', 'socket-io', { adapter: 'redis' });
export const socketIoNodeStreams: SubjectKind = onNode('Socket.IO on Node, streams', 'socket-io', {
	adapter: 'streams',
});
