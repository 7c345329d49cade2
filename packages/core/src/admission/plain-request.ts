import type { ReachedLimit } from './connection-slots.ts';

/** Why an upgrade would be refused. */
export type PlainRefusal = ReachedLimit | 'origin' | 'notStarted' | 'stopping';

const ANSWERS: Readonly<Record<PlainRefusal, readonly [status: number, text: string]>> = {
	origin: [403, 'WebSocket refused: pages of this origin may not connect. If the page is yours, see allowedOrigins'],
	connections: [503, 'WebSocket refused: there are too many connections. See limits.connections'],
	connectionsPerAddress: [
		429,
		'WebSocket refused: there are too many connections from this address. If it is a proxy, see trustedProxies',
	],
	notStarted: [503, 'WebSocket refused: the endpoint has not started. The server must call its start()'],
	stopping: [503, 'WebSocket refused: the server is stopping'],
};

const ACCEPTED = [
	426,
	'WebSocket endpoint: it would accept an upgrade from here. If upgrades fail, a proxy does not pass them on, or the ' +
		'upgrade option of the application refuses them',
] as const;

/** Whether a request asks for a WebSocket. */
export function isUpgrade({ headers }: Request): boolean {
	return headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/**
 * Answers a request that is not an upgrade: says how an upgrade would be answered. Browsers hide that from pages when
 * an upgrade fails, so clients ask here. Every page may read the answer, above all those whose origin is refused.
 */
export function plainAnswer(refusal: PlainRefusal | undefined): Response {
	const [status, text] = refusal === undefined ? ACCEPTED : ANSWERS[refusal];
	return new Response(text, {
		status,
		headers: { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store', Upgrade: 'websocket' },
	});
}

/** Returns the origin of the page that made a plain request; null if it is not known. */
export function pageOrigin(headers: Headers): string | null {
	const referer = headers.get('referer');
	// Browsers send no Origin when a page requests something of its own origin.
	return headers.get('origin') ?? (referer !== null && URL.canParse(referer) ? new URL(referer).origin : null);
}
