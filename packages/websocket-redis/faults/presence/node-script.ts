// A node of an application whose topics keep presence.

import { answerRequests } from '@orijs/testkit';
import { Application } from '../../../core/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { connectionOf } from '../node/mapped-connection.ts';
import { TopicListener } from './topic-listener.ts';
import {
	type Listened,
	type NodeLogs,
	type NodeMembers,
	type NodeRequest,
	type NodeSettings,
	PRESENCE,
} from './protocol.ts';

const PAGE = 300;

const settings = JSON.parse(String(process.env['PRESENCE_NODE'])) as NodeSettings;
const lines: string[] = [];
const failures: string[] = [];
process.on('unhandledRejection', (reason) => failures.push(`an unhandled rejection: ${Bun.inspect(reason)}`));
process.on('uncaughtException', (error) => failures.push(`an uncaught exception: ${Bun.inspect(error)}`));

const logged = (level: string) => (message: string, details?: unknown) =>
	void lines.push(
		`${new Date().toISOString()} ${level}: ${message} ${details === undefined ? '' : Bun.inspect(details)}`,
	);
const logger = { debug() {}, info() {}, warn: logged('warn'), error: logged('error') };
const provider = new RedisWsProvider({
	connection: connectionOf(settings.connection),
	collectBeatsAbove: settings.collectBeatsAbove,
	presence: PRESENCE,
	logger,
});

const app = new Application({ logger, signals: false }).websocket<{ name: string }>(provider, {
	authorize: { subscribe: () => true },
	upgrade(req, response) {
		const query = new URL(req.url).searchParams;
		const userId = query.get('user');
		if (userId !== null) response.userId = userId;
		return { name: String(query.get('name')) };
	},
	presence: { info: ({ ws }) => ({ name: ws.data.data.name }) },
	limits: { topicsPerSocket: 10_000 },
});
const { presence } = provider;
const listeners = new Map<string, TopicListener>();

process.on('SIGTERM', () => void app.stop({ graceMs: 0 }).then(() => process.exit(0)));

/** Ends the process if it can't start, as it does while Redis is away: it is started again. */
const started = app.listen({ port: settings.port, hostname: '127.0.0.1' }).then(
	() => {
		for (const topic of settings.listensTo) listeners.set(topic, new TopicListener(presence, topic));
	},
	(error: unknown) => {
		console.error(error);
		process.exit(3);
	},
);

answerRequests((request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'start':
			return started;
		case 'members':
			return membersOf(message.topic);
		case 'listened':
			return {
				keys: new Map(Array.from(listeners, ([topic, { keys }]) => [topic, keys] as const)),
				doubled: [...listeners.values()].flatMap(({ doubled }) => doubled),
			} satisfies Listened;
		case 'logs':
			return { lines, failures } satisfies NodeLogs;
	}
});

async function membersOf(topic: string): Promise<NodeMembers> {
	const members: NodeMembers['members'][number][] = [];
	let after: string | undefined;
	for (;;) {
		const page = await presence.members(topic, { limit: PAGE, after });
		members.push(...page.members);
		after = page.members.at(-1)?.key;
		if (!page.hasMore || after === undefined) {
			return { members, count: page.count, counted: await presence.count(topic), isStale: page.isStale };
		}
	}
}
