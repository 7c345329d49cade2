// A node of a fault run: a plain Bun server on a Redis provider that publishes numbered messages and records outcomes.

import { answerRequests } from '@orijs/testkit';
import { type SocketData, SocketCoordinator } from '@orijs/websocket';
import { createRedisWsProvider } from '../../src/index.ts';
import { openJournal } from './journal.ts';
import { generate } from './load-generator.ts';
import type { Load, NodeReport, NodeRequest, NodeSettings, ReportedGap } from './protocol.ts';
import { connectionOf } from './mapped-connection.ts';
import { Publisher } from './publisher.ts';
import { referenceClock } from './reference-clock.ts';

const unhandled: string[] = [];
process.on('unhandledRejection', (reason) => unhandled.push(`rejection: ${String(reason)}`));
process.on('uncaughtException', (error) => unhandled.push(`exception: ${String(error)}`));

const settings = JSON.parse(String(process.env.FAULT_NODE)) as NodeSettings;
const provider = createRedisWsProvider({
	connection: connectionOf(settings.connection),
	heartbeatMs: settings.heartbeatMs,
	collectBeatsAbove: settings.collectBeatsAbove,
});
const coordinator = new SocketCoordinator({ provider });
const now = referenceClock(settings.clockOffsetMs);
const journal = settings.journal === undefined ? undefined : openJournal(settings.journal);
const publisher = new Publisher({ name: settings.name, provider, now, journal });
const gaps: ReportedGap[] = [];
const statuses: { status: string; at: number }[] = [];
provider.onGap((gap) => gaps.push({ ...gap, reportedAt: now() }));
provider.onStatus((status) => statuses.push({ status, at: now() }));

const server = Bun.serve<SocketData>({
	port: 0,
	fetch(req, self) {
		const data = { socketId: crypto.randomUUID(), data: {}, topics: new Set<string>() };
		return self.upgrade(req, { data }) ? undefined : new Response('upgrade failed', { status: 400 });
	},
	websocket: {
		// All clients run in one busy process, which may read slowly: frames queued for them must not be dropped.
		backpressureLimit: 256 * 1024 * 1024,
		async open(ws) {
			await coordinator.addConnection(ws);
			ws.send(`!id ${ws.data.socketId}`);
		},
		async message(ws, message) {
			const topics = String(message).split(' ');
			await Promise.all(topics.map((topic) => coordinator.subscribeToTopic(ws.data.socketId, topic)));
			ws.send('!subscribed');
		},
		close(ws) {
			coordinator.removeConnection(ws.data.socketId);
		},
	},
});
provider.setServer(server);
await provider.start();

let stopLoad = (): void => {};
let sockets: Load['sockets'] = [];

answerRequests((request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'url':
			return `ws://127.0.0.1:${server.port}`;
		case 'load':
			stopLoad();
			stopLoad = generate(message.load, publisher);
			sockets = message.load.sockets;
			return;
		case 'stop publishing':
			stopLoad();
			return;
		case 'round':
			return round();
		case 'burst': {
			const padding = 'x'.repeat(message.bytes);
			for (let i = 0; i < message.count; i++) publisher.toTopic(message.topic, padding);
			return;
		}
		case 'stall': {
			const end = performance.now() + message.forMs;
			while (performance.now() < end);
			return;
		}
		case 'wait':
			return Bun.sleep(message.forMs);
		case 'stop':
			stopLoad();
			return provider.stop();
		case 'status':
			return provider.status;
		case 'report':
			return {
				sent: publisher.sent,
				gaps,
				statuses,
				rejections: publisher.rejections,
				unhandled,
			} satisfies NodeReport;
	}
});

/** Publishes one more message on every channel used so far. Returns the numbers of these messages. */
function round(): Map<string, number> {
	for (const channel of publisher.sent.keys()) {
		const socket = sockets.find(({ receiver }) => `@${receiver}` === channel);
		if (socket !== undefined) publisher.toSocket(socket.receiver, socket.socketId);
		else if (channel === '*') publisher.toAll();
		else publisher.toTopic(channel);
	}
	return new Map(Array.from(publisher.sent, ([channel, { outcome }]) => [channel, outcome.length - 1]));
}
