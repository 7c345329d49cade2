/** Makes sure that `nginx` and `caddy`, which tests put in front of a server, are on PATH. Installs what is missing. */
import { existsSync } from 'node:fs';
import { installer } from './lib/system-package.ts';

/** Each program, with its package in Debian and Ubuntu. */
const PACKAGES = { nginx: 'nginx-light', caddy: 'caddy' } as const;

// Debian's nginx is in /usr/sbin, which is not on the PATH of every user.
const PATH = [process.env['PATH'] ?? '', '/usr/sbin', '/usr/local/sbin'].join(':');
const isMissing = (program: string): boolean => Bun.which(program, { PATH }) === null;

const missing = (Object.keys(PACKAGES) as (keyof typeof PACKAGES)[]).filter(isMissing);
if (missing.length > 0) {
	const frontEnds = installer({
		missing: `Not on PATH: ${missing.join(', ')}`,
		advice: 'Install nginx and Caddy 2 so that `nginx` and `caddy` are on PATH, then run the tests again.',
	});
	if (Bun.which('apt-get') !== null) withoutServices(() => frontEnds.apt(missing.map((program) => PACKAGES[program])));
	else if (Bun.which('brew') !== null) frontEnds.brew(missing, `brew install ${missing.join(' ')} (no services)`);
	else frontEnds.refuse('Neither apt-get nor brew is available to install it.');
	if (missing.some(isMissing)) frontEnds.refuse('It was installed, but it is not on PATH.');

	/** Keeps systemd from starting the services of the packages, now and at every boot. */
	function withoutServices(install: () => void): void {
		const hasSystemd = existsSync('/run/systemd/system');
		const systemctl = (...args: string[]): void => frontEnds.asRoot(['systemctl', '--quiet', ...args, ...missing]);
		if (hasSystemd) systemctl('mask');
		install();
		if (!hasSystemd) return;
		systemctl('unmask');
		systemctl('disable');
	}
}
