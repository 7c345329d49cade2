import { Application } from '@orijs/core';
import type { Logger } from '@orijs/websocket';
import { Board } from './board.ts';
import { boardRouter } from './board-router.ts';
import { type AddressOf, loginRoutes } from './login-routes.ts';
import { NOTES_TOPIC, OnlineChanged } from './messages.ts';
import { Online } from './online.ts';
import { Sessions } from './sessions.ts';
import { Tokens } from './tokens.ts';
import type { Users } from './users.ts';
import { type Connection, mayConnect, maySubscribe } from './who-may.ts';

export interface NoticeBoardOptions {
	readonly users: Users;
	/** How long a browser stays logged in, in milliseconds. Default: 8 hours. */
	readonly sessionLifetimeMs?: number;
	/** How long a token, and the sockets opened with it, remain valid, in milliseconds. Default: 5 minutes. */
	readonly tokenLifetimeMs?: number;
	/** How many passwords each address may try per minute. Default 10. */
	readonly attemptsPerMinute?: number;
	/**
	 * Returns a client's address. Default: the address of the connection. Behind a proxy, this is the proxy's own
	 * address, so the attempts of all clients would be counted together: read the header that your proxy sets instead.
	 */
	readonly addressOf?: AddressOf;
	/** Receives all log lines. Default: the console. */
	readonly logger?: Logger;
}

const MINUTE_MS = 60_000;

/** Creates the notice board, without its page. */
export function createNoticeBoard(options: NoticeBoardOptions): Application<Connection> {
	const { users, attemptsPerMinute = 10, addressOf = (_req, peer) => peer, logger } = options;
	const sessions = new Sessions(options.sessionLifetimeMs ?? 8 * 60 * MINUTE_MS);
	const tokens = new Tokens(options.tokenLifetimeMs ?? 5 * MINUTE_MS);
	const board = new Board();
	const online = new Online();

	// There is no load balancer that needs time to notice that the server stops.
	const app = new Application({ readinessDelayMs: 0, ...(logger !== undefined && { logger }) })
		.websocket<Connection>({
			// Browsers send the cookie from pages of any site. The endpoint checks the `Origin` header so that other
			// sites' pages can't use it to connect: unless `allowedOrigins` is set, only the server's own pages may
			// connect.
			//
			// Every other upgrade succeeds, and `mayConnect` decides later, because a page can read a close code but not
			// the status of a refused upgrade.
			upgrade: () => ({ login: undefined }),
			authorize: { subscribe: maySubscribe },
			limits: { messageBytes: 8_192, messagesPerSecond: 20 },
		})
		.socketRouter(boardRouter(board, online).authenticate(mayConnect(sessions, tokens)))
		.routes(loginRoutes({ users, sessions, tokens, attemptsPerMinute, addressOf }));

	return app.onWebSocket({
		async open(ws) {
			const { login } = ws.data.data;
			if (login?.attach(ws) && online.enter(login.user.name)) await tellWhoIsOnline();
		},
		async close(ws) {
			const { login } = ws.data.data;
			if (login?.detach(ws) && online.leave(login.user.name)) await tellWhoIsOnline();
		},
	});

	function tellWhoIsOnline(): Promise<void> {
		return app.socket.emit(OnlineChanged, NOTES_TOPIC, { online: online.names });
	}
}
