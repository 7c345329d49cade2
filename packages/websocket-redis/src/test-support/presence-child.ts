// A node of clocks.test.ts, whose members are its clients: a plain Bun server on a Redis provider.

import { answerRequests } from '@orijs/testkit';
import { type PresenceMember, type SocketData, SocketCoordinator } from '@orijs/websocket';
import { createRedisWsProvider } from '../index.ts';

const TOPIC = 'room:a';

/** What a node tells of itself. */
export interface PresenceReport {
	readonly port: number;
	/** What its clock says, in milliseconds since the epoch. */
	readonly now: number;
	readonly members: readonly PresenceMember[];
	/** All that have joined or left, in order. */
	readonly changes: readonly string[];
	/** Since when those that have joined were there, as their joining was told. */
	readonly since: readonly number[];
}

const provider = createRedisWsProvider({
	connection: String(process.env.REDIS_URL),
	presence: { 'room:*': { leaveDelayMs: Number(process.env.LEAVE_DELAY_MS) } },
});
const coordinator = new SocketCoordinator({ provider });

const server = Bun.serve<SocketData>({
	port: 0,
	fetch(req, server) {
		const userId = new URL(req.url).searchParams.get('user') ?? undefined;
		const data: SocketData = { socketId: crypto.randomUUID(), data: {}, topics: new Set([TOPIC]), userId };
		return server.upgrade(req, { data }) ? undefined : new Response('upgrade failed', { status: 400 });
	},
	websocket: {
		open: (ws) => coordinator.addConnection(ws),
		message() {},
		close(ws) {
			coordinator.removeConnection(ws.data.socketId);
		},
	},
});
provider.setServer(server);
await provider.start();

const changes: string[] = [];
const since: number[] = [];
provider.presence.onChange(TOPIC, ({ joined, left }) => {
	for (const member of joined) {
		changes.push(`joined ${member.key}`);
		since.push(member.since);
	}
	for (const { key } of left) changes.push(`left ${key}`);
});

answerRequests(async (): Promise<PresenceReport> => {
	const { members } = await provider.presence.members(TOPIC);
	return { port: Number(server.port), now: Date.now(), members, changes, since };
});

process.on('SIGTERM', () => void provider.stop().then(() => process.exit(0)));
