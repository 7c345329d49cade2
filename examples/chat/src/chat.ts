import { Application, type PresenceInfoContext } from '@orijs/core';
import { consoleLogger, InProcWsProvider, type Logger, type WebSocketProvider } from '@orijs/websocket';
import { ADMIN_PATH } from './admin-messages.ts';
import { adminRouter } from './admin-router.ts';
import { type Bans, BansInMemory } from './bans.ts';
import { chatRouter } from './chat-router.ts';
import type { Visitor } from './entering.ts';
import { HISTORY, MemberInfo, PRESENCE } from './messages.ts';
import { keyCheck } from './moderator-key.ts';
import { Names } from './overview.ts';
import { disconnectBanned } from './removing.ts';
import { Visitors } from './visitors.ts';

export interface ChatOptions {
	/** The name of this server process, as shown on the page. */
	readonly name: string;
	/** The key that makes a visitor a moderator, who may remove people from rooms, and opens the admin page. */
	readonly moderatorKey: string;
	/**
	 * The provider, which must keep `HISTORY` and `PRESENCE`. Default: a provider for this process only.
	 */
	readonly provider?: WebSocketProvider | undefined;
	/** Who may not come in, on all nodes. Default: a list for this process only. */
	readonly bans?: Bans;
	/** Receives all log lines. Default: the console. */
	readonly logger?: Logger;
	/** Begins to replace the application with a new one. */
	restart(): void;
}

/**
 * How long a stopping chat waits for handlers, in milliseconds. All are quick; one that takes longer must be hanging.
 */
const GRACE_MS = 3_000;

/** Creates the chat, without its page. Rooms are topics. Without `authorize`, only the server subscribes to them. */
export function createChat(options: ChatOptions): Application {
	const { name, moderatorKey, bans = new BansInMemory(), logger = consoleLogger, restart } = options;
	const { provider = new InProcWsProvider({ history: HISTORY, presence: PRESENCE, logger }) } = options;
	const node = { id: crypto.randomUUID(), name };
	const visitors = new Visitors();
	const { cluster } = provider;
	const isKey = keyCheck(moderatorKey);

	// There is no load balancer that needs time to notice that a node stops.
	const app = new Application({ graceMs: GRACE_MS, readinessDelayMs: 0, logger })
		.websocket(provider, {
			limits: { messageBytes: 8_192, messagesPerSecond: 20 },
			presence: {
				info: ({ state }: PresenceInfoContext<Visitor>) => ({ name: state.person.name, node: name }),
				schema: MemberInfo,
				updatesPerSecond: 5,
			},
		})
		.socketRouter(chatRouter({ node, visitors, cluster, bans, isKey, restart }));

	app.endpoint(ADMIN_PATH).socketRouter(adminRouter(cluster, bans, isKey));
	// What is not about a topic may be missing: also that someone is to be disconnected.
	provider.onGap(({ topic }) => (topic === '*' ? disconnectBanned(provider, bans) : undefined));
	cluster.on(Names, ({ ids }) => ({ node: name, names: visitors.names(ids) }));
	return app;
}
