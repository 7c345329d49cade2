import { ConnectError } from '../errors.ts';
import { within } from '../support/promises.ts';
import type { ConnectionEnd } from './client-state.ts';

/**
 * Finds out why no connection becomes ready. Browsers hide from pages how an upgrade was answered, so this makes a
 * plain request to the same URL, whose answer endpoints let every page read. Never rejects.
 *
 * @param end how the last attempt ended
 * @param ms how long the answer may take, in milliseconds
 * @param life aborted if the result is no longer wanted
 */
export async function diagnose(
	url: string,
	{ code, reason }: ConnectionEnd,
	ms: number,
	life: AbortController,
): Promise<ConnectError> {
	// Credentials and queries may be secrets, and `fetch` refuses credentials.
	const plain = url.replace(/(\/\/)[^/?]*@|\?.*/g, '$1');
	let found = 'no readable answer';
	const ask = async (signal: AbortSignal): Promise<string> => {
		const response = await fetch(plain.replace('ws', 'http'), { signal });
		found = `HTTP ${response.status}`;
		return response.text();
	};
	const text = await within(ms, life, '', ask).catch(() => '');
	// Endpoints say who may not connect, and what to do about it.
	const answer = text.startsWith('WebSocket')
		? text
		: `${found}; check the path (core's default: /ws), ws/wss, server and proxies`;
	return new ConnectError(`No connection to ${plain} (${reason || code}): ${answer}`);
}
