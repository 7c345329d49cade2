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
	/** How long a token may be used, and the sockets it opened, in milliseconds. Default: 5 minutes. */
	readonly tokenLifetimeMs?: number;
	/** How many passwords may be tried from one address. Default 10. */
	readonly attemptsPerMinute?: number;
	/**
	 * Tells a client's address. Default: that of whoever has connected. Behind a proxy that is the proxy, and the attempts of all clients
	 * count as its own: read the header there that your proxy sets.
	 */
	readonly addressOf?: AddressOf;
	/** Default: the console. */
	readonly logger?: Logger;
}

const MINUTE_MS = 60_000;

/** The notice board without its page. */
export function createNoticeBoard(options: NoticeBoardOptions): Application<Connection> {
	const { users, attemptsPerMinute = 10, addressOf = (_req, peer) => peer, logger } = options;
	const sessions = new Sessions(options.sessionLifetimeMs ?? 8 * 60 * MINUTE_MS);
	const tokens = new Tokens(options.tokenLifetimeMs ?? 5 * MINUTE_MS);
	const board = new Board();
	const online = new Online();

	const app = new Application(logger === undefined ? {} : { logger })
		.websocket<Connection>({
			// Browsers send the cookie along from pages of any site. That another site's page can't use it to connect as its visitor is due
			// to the endpoint's check of the Origin header: unless `allowedOrigins` says otherwise, only the server's own pages get in.
			//
			// Everyone else does, up to the guard: a page can read a close code, but no status of a refused upgrade.
			upgrade: () => ({ login: undefined }),
			authorize: { subscribe: maySubscribe },
			limits: { messageBytes: 8_192, messagesPerSecond: 20 },
		})
		.socketRouter(boardRouter(board, online).guard(mayConnect(sessions, tokens)))
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
