import type { ProxyLink } from './proxy-link.ts';

/** Chooses links: `proxy.cut((link) => link.id > 2)`. */
export type LinkFilter = (link: ProxyLink) => boolean;

/**
 * Links whose client has sent one of these Redis commands within its first 4 KiB, so not over TLS.
 * `hasSent('SUBSCRIBE', 'SSUBSCRIBE')` are the subscribers, `hasSent('PUBLISH', 'SPUBLISH')` the publishers.
 */
export function hasSent(...commands: string[]): LinkFilter {
	// The name is the first element of the array that a command is: `*2\r\n$9\r\nSUBSCRIBE\r\n…`
	const command = new RegExp(`\\*\\d+\\r\\n\\$\\d+\\r\\n(?:${commands.map(RegExp.escape).join('|')})\\r\\n`, 'i');
	return ({ sent }) => command.test(sent);
}
