// A node whose cluster acts on the sockets of all nodes, and that writes down what it does and what is done to it.

import { answerRequests } from '@orijs/testkit';
import { Application, type AppSocket, SocketRouter } from '../../../core/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { connectionOf } from '../node/mapped-connection.ts';
import { act, answerNodes } from './act.ts';
import { openJournal } from './journal.ts';
import { Lateness } from './lateness.ts';
import type { Action, NodeRequest, NodesChange, NodeSettings, SeenNode, Started, StatusChange } from './protocol.ts';
import { roomOf, SLOWEST_GUARD_MS } from './population.ts';

type ClientData = {
	readonly client: number;
	readonly upgradedAt: number;
};

/** How many of the decisions of `authorize` are against the client. */
const REFUSED = 0.02;

const settings = JSON.parse(String(process.env['CLUSTER_NODE'])) as NodeSettings;
const journal = openJournal(settings.journal);
process.on('unhandledRejection', (reason) => failed(`an unhandled rejection: ${Bun.inspect(reason)}`));
process.on('uncaughtException', (error) => failed(`an uncaught exception: ${Bun.inspect(error)}`));

const logged = (level: string) => (message: string) => journal({ do: 'log', at: Date.now(), level, message });
const logger = { debug() {}, info: logged('info'), warn: logged('warn'), error: logged('error') };
const provider = new RedisWsProvider({
	connection: connectionOf(settings.connection),
	collectBeatsAbove: settings.collectBeatsAbove,
	logger,
});
journal({ do: 'start', at: Date.now(), nodeId: provider.nodeId });

const lateness = new Lateness();
const statuses: StatusChange[] = [];
const changes: NodesChange[] = [];
const sockets = new Set<AppSocket<ClientData>>();

provider.onStatus((status) => {
	statuses.push({ at: Date.now(), status });
	journal({ do: 'status', at: Date.now(), status });
});
provider.onMembership({
	subscribed: ({ data: { socketId } }, topic) => journal({ do: 'in', at: Date.now(), socketId, topic }),
	unsubscribed: ({ data: { socketId } }, topic, { code }) =>
		journal({ do: 'out', at: Date.now(), socketId, topic, code }),
});
provider.cluster.onNodesChange(({ joined, left }) => {
	const change = { at: Date.now(), joined: joined.map(({ id }) => id), left };
	changes.push(change);
	journal({ do: 'nodes', ...change });
});
answerNodes(provider, (n) => journal({ do: 'handled', at: Date.now(), n }));

const app = new Application({ logger, signals: false })
	.websocket<ClientData>(provider, {
		authorize: {
			subscribe({ data: { socketId } }, topic) {
				journal({ do: 'asked', at: Date.now(), socketId, topic });
				return Math.random() >= REFUSED;
			},
		},
		upgrade(req, response): ClientData {
			const query = new URL(req.url).searchParams;
			response.userId = String(query.get('user'));
			return { client: Number(query.get('client')), upgradedAt: Date.now() };
		},
		limits: { topicsPerSocket: 10_000, guardTimeoutMs: 2_000 },
	})
	.socketRouter(
		new SocketRouter().guard(async () => {
			await Bun.sleep(Math.random() * SLOWEST_GUARD_MS);
			return true;
		}),
	)
	.onWebSocket({
		open(ws) {
			sockets.add(ws);
			const { socketId, userId = '', data } = ws.data;
			journal({ do: 'open', at: Date.now(), socketId, userId, upgradedAt: data.upgradedAt });
			void ws.subscribe(roomOf(data.client));
		},
		close(ws, code, reason) {
			sockets.delete(ws);
			journal({ do: 'close', at: Date.now(), socketId: ws.data.socketId, code, reason });
		},
	});

process.on('SIGTERM', () => {
	journal({ do: 'stopping', at: Date.now() });
	void app.stop({ graceMs: 0 }).then(() => process.exit(0));
});

/** Ends the process if it can't start, as it does while Redis is away: it is started again. */
const started = app.listen({ port: settings.port, hostname: '127.0.0.1' }).then(
	(): Started => {
		journal({ do: 'listening', at: Date.now() });
		return { nodeId: provider.nodeId };
	},
	() => process.exit(3),
);

answerRequests((request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'start':
			return started;
		case 'act':
			return carryOut(message.action);
		case 'nodes':
			return provider.cluster
				.nodes()
				.map(({ id, connections, isSelf }) => ({ id, connections, isSelf }) satisfies SeenNode);
		case 'changes':
			return changes;
		case 'statuses':
			return statuses;
		case 'topics':
			return new Map(Array.from(sockets, ({ data }) => [data.socketId, [...data.topics]] as const));
	}
});

async function carryOut(action: Action): Promise<void> {
	const { n } = action;
	journal({ do: 'act', at: Date.now(), action });
	const from = performance.now();
	const outcome = await act(provider, action).then(
		(said) => ({ said }),
		(error: Error) => ({ error: `${error.name}: ${error.message}` }),
	);
	const tookMs = Math.ceil(performance.now() - from);
	// The timer that notices a delay may be as late as the one of the time limit.
	await Bun.sleep(0);
	journal({ do: 'acted', n, at: Date.now(), tookMs, lateMs: lateness.since(from), ...outcome });
}

function failed(what: string): void {
	journal({ do: 'failure', at: Date.now(), what });
}
