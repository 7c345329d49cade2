import { startFrontEnd } from './front-end.ts';
import type { FrontEnd } from './front-end.ts';

/**
 * Starts a Caddy, without TLS.
 *
 * @param site the directives of the site, such as `reverse_proxy 127.0.0.1:3000`
 * @throws {FrontEndStartError} the configuration is invalid
 */
export function startCaddy(site: string): Promise<FrontEnd> {
	return startFrontEnd({
		program: 'caddy',
		config: (port) => `{\n\tadmin off\n\tauto_https off\n}\nhttp://:${port} {\n\tbind 127.0.0.1\n\t${site}\n}\n`,
		args: (file) => ['run', '--adapter', 'caddyfile', '--config', file],
		env: (dir) => ({ HOME: dir, XDG_CONFIG_HOME: dir, XDG_DATA_HOME: dir }),
	});
}
