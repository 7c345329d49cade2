import type { ProxyLink } from './proxy-link.ts';

/** Selects links, as in `proxy.cut((link) => link.id > 2)`. */
export type LinkFilter = (link: ProxyLink) => boolean;

/**
 * Selects links whose client has sent one of these Redis commands within its first 4 KiB. Does not work with TLS.
 * `hasSent('SUBSCRIBE', 'SSUBSCRIBE')` selects subscribers, `hasSent('PUBLISH', 'SPUBLISH')` publishers.
 */
export function hasSent(...commands: string[]): LinkFilter {
	// A command is an array whose first element is the command's name: `*2\r\n$9\r\nSUBSCRIBE\r\n…`
	const command = new RegExp(`\\*\\d+\\r\\n\\$\\d+\\r\\n(?:${commands.map(RegExp.escape).join('|')})\\r\\n`, 'i');
	return ({ sent }) => command.test(sent);
}
