import type { Routes } from '@orijs/core';
import type { BunRequest } from 'bun';
import { Attempts } from './attempts.ts';
import type { User } from './messages.ts';
import { isForm, readCredentials } from './read-credentials.ts';
import type { Sessions } from './sessions.ts';
import type { Tokens } from './tokens.ts';
import type { Users } from './users.ts';

/** Returns a client's address. */
export type AddressOf = (req: Request, peer: string) => string;

export interface LoginRoutesOptions {
	readonly users: Users;
	readonly sessions: Sessions;
	readonly tokens: Tokens;
	readonly attemptsPerMinute: number;
	readonly addressOf: AddressOf;
}

/** The part of Bun's server that is used here. */
interface KnowsPeers {
	requestIP(req: Request): { readonly address: string } | null;
}

/** The routes for logging in, staying logged in, and logging out. */
export function loginRoutes(options: LoginRoutesOptions): Routes<'/login' | '/token' | '/renew' | '/logout'> {
	const { users, sessions, tokens, addressOf } = options;
	const attempts = new Attempts(options.attemptsPerMinute);

	return {
		'/login': {
			async POST(req, server) {
				const user = await identify(req, server);
				if (user instanceof Response) return user;
				sessions.start(req, user);
				return isForm(req) ? answer(303, { Location: '/' }) : answer(204);
			},
		},
		'/token': {
			async POST(req, server) {
				const user = await identify(req, server);
				if (user instanceof Response) return user;
				const { secret, login } = tokens.issue(user);
				return Response.json({ token: secret, expiresAt: login.expiresAt }, { headers: NOT_KEPT });
			},
		},
		'/renew': {
			POST(req) {
				if (isFromElsewhere(req)) return refusal(403, 'Renewing from another site is not allowed');
				const login = tokens.renew(req.headers) ?? sessions.renew(req);
				if (login === undefined) return refusal(401, 'Not logged in');
				return Response.json({ expiresAt: login.expiresAt }, { headers: NOT_KEPT });
			},
		},
		'/logout': {
			POST(req) {
				if (isFromElsewhere(req)) return refusal(403, 'Logging out from another site is not allowed');
				sessions.end(req);
				tokens.end(req.headers);
				return answer(204);
			},
		},
	};

	/** Returns the user if name and password are correct, or the response that refuses the request. */
	async function identify(req: BunRequest, server: KnowsPeers): Promise<User | Response> {
		if (isFromElsewhere(req)) return refusal(403, 'Logging in from another site is not allowed');
		const address = addressOf(req, server.requestIP(req)?.address ?? '');
		// Counted before the password is checked, so that concurrent attempts count as well.
		const waitS = attempts.count(address);
		if (waitS > 0) return refusal(429, 'Too many attempts', { 'Retry-After': String(waitS) });
		const credentials = await readCredentials(req);
		if (credentials === undefined) return refusal(400, 'Send name and password, as a form or as JSON');
		const user = await users.verify(credentials.name, credentials.password);
		return user ?? refusal(401, 'Wrong name or password');
	}
}

/**
 * Whether a request comes from a page of another site. Such a page must not log users out. Nor must it log them in as
 * someone else, whose account would then receive everything they write.
 */
function isFromElsewhere({ headers }: Request): boolean {
	const site = headers.get('sec-fetch-site');
	if (site !== null) return site !== 'same-origin' && site !== 'none';
	// Older browsers send only `Origin`; programs send neither header.
	const origin = headers.get('origin');
	return origin !== null && (!URL.canParse(origin) || new URL(origin).host !== headers.get('host'));
}

const NOT_KEPT = { 'Cache-Control': 'no-store' };

function answer(status: number, headers: Record<string, string> = {}): Response {
	return new Response(null, { status, headers: { ...NOT_KEPT, ...headers } });
}

function refusal(status: number, error: string, headers: Record<string, string> = {}): Response {
	return Response.json({ error }, { status, headers: { ...NOT_KEPT, ...headers } });
}
