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
import { mayConnect, maySubscribe } from './who-may.ts';

export interface NoticeBoardOptions {
	readonly users: Users;
	/** How long a browser stays logged in without renewing that, in milliseconds. Default: 8 hours. */
	readonly sessionLifetimeMs?: number;
	/** The same of a program with a token. Default: 5 minutes. */
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
export function createNoticeBoard(options: NoticeBoardOptions): Application {
	const { users, attemptsPerMinute = 10, addressOf = (_req, peer) => peer, logger } = options;
	const sessions = new Sessions(options.sessionLifetimeMs ?? 8 * 60 * MINUTE_MS);
	const tokens = new Tokens(options.tokenLifetimeMs ?? 5 * MINUTE_MS);
	const board = new Board();
	const online = new Online();

	const router = boardRouter(board, online)
		.authenticate(mayConnect(sessions, tokens))
		.onOpen(async ({ state: { login, user }, ws }) => {
			login.attach(ws);
			if (online.enter(user.name)) await tellWhoIsOnline();
		})
		.onClose(async ({ state: { login, user }, ws }) => {
			login.detach(ws);
			if (online.leave(user.name)) await tellWhoIsOnline();
		});

	// There is no load balancer that needs time to notice that the server stops.
	const app = new Application({ readinessDelayMs: 0, ...(logger !== undefined && { logger }) })
		.websocket({
			// Browsers send the cookie from pages of any site. The endpoint checks the `Origin` header so that other
			// sites' pages can't use it to connect: unless `allowedOrigins` is set, only the server's own pages may
			// connect. Every other upgrade succeeds, and `mayConnect` decides, because a page can read a close code but
			// not the status of a refused upgrade.
			authorize: { subscribe: maySubscribe },
			limits: { messageBytes: 8_192, messagesPerSecond: 20 },
		})
		.socketRouter(router)
		.routes(loginRoutes({ users, sessions, tokens, attemptsPerMinute, addressOf }));
	return app;

	function tellWhoIsOnline(): Promise<void> {
		return app.socket.emit(OnlineChanged, NOTES_TOPIC, { online: online.names });
	}
}
