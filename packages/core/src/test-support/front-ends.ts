import { type FrontEnd, scratchDir, startCaddy, startNginx } from '@orijs/testkit';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { ListenOptions } from '../index.ts';

/** A way from clients to an application: where it listens, and what is in front of it. */
export interface Way {
	/** How the application listens. */
	readonly at: ListenOptions;
	/** The value of `trustedProxies` that suits it. */
	readonly trustedProxies: readonly string[];
	/**
	 * Starts what is in front of a listening application; it runs until the test ends. Returns the port for clients.
	 *
	 * @param port the application's port, if it has one
	 * @param readTimeout how long the proxy keeps a silent connection open; default: its own default
	 */
	start(port: number | undefined, readTimeout?: string): Promise<number>;
}

const ON_PORT: ListenOptions = { port: 0, hostname: '127.0.0.1' };

/** The directives that nginx needs for WebSockets, as in docs/front-ends.md, without `Host`. */
const NGINX = `
	proxy_http_version 1.1;
	proxy_set_header Upgrade $http_upgrade;
	proxy_set_header Connection "upgrade";
	proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;`;

export type WayName =
	| 'directly'
	| 'behind nginx'
	| 'behind nginx on a Unix socket'
	| 'behind Caddy'
	| 'behind Caddy on a Unix socket';

/** All ways that docs/front-ends.md recommends. */
export const WAYS: Readonly<Record<WayName, () => Way>> = {
	directly: () => ({
		at: ON_PORT,
		trustedProxies: [],
		start: async (port) => port as number,
	}),
	'behind nginx': () => ({
		at: ON_PORT,
		trustedProxies: ['127.0.0.1'],
		start: (port, readTimeout) => nginx(`127.0.0.1:${port}`, 'proxy_set_header Host $http_host;', readTimeout),
	}),
	'behind nginx on a Unix socket': () => {
		const unix = socketPath();
		return {
			at: { unix },
			trustedProxies: ['unix'],
			start: (_, readTimeout) => nginx(`unix:${unix}`, 'proxy_set_header Host $http_host;', readTimeout),
		};
	},
	'behind Caddy': () => ({
		at: ON_PORT,
		trustedProxies: ['127.0.0.1'],
		start: (port, readTimeout) => caddy(`127.0.0.1:${port}`, readTimeout),
	}),
	'behind Caddy on a Unix socket': () => {
		const unix = socketPath();
		return {
			at: { unix },
			trustedProxies: ['unix'],
			start: (_, readTimeout) => caddy(`unix/${unix}`, readTimeout),
		};
	},
};

/**
 * Starts an nginx in front of an application until the test ends, and returns its port.
 *
 * @param hostHeader the directive that passes on the `Host`, if any
 */
export function nginx(to: string, hostHeader: string, readTimeout?: string): Promise<number> {
	const timeout = readTimeout === undefined ? '' : `proxy_read_timeout ${readTimeout};`;
	return untilTestEnds(startNginx(`proxy_pass http://${to}; ${NGINX} ${hostHeader} ${timeout}`));
}

function caddy(to: string, readTimeout?: string): Promise<number> {
	const transport = readTimeout === undefined ? '' : `{\ntransport http {\nread_timeout ${readTimeout}\n}\n}`;
	return untilTestEnds(startCaddy(`reverse_proxy ${to} ${transport}`));
}

async function untilTestEnds(starting: Promise<FrontEnd>): Promise<number> {
	const frontEnd = await starting;
	onTestFinished(() => frontEnd.stop());
	return frontEnd.port;
}

function socketPath(): string {
	const dir = scratchDir('orijs-unix-');
	onTestFinished(() => dir.remove());
	return join(dir.path, 'app.sock');
}
