/** Makes sure that nginx and Caddy, which tests put in front of a server, are installed. Installs what is missing. */
import { existsSync } from 'node:fs';
import { findFrontEnd, type FrontEndProgram } from '../packages/testkit/src/find-front-end.ts';
import { installer } from './lib/system-package.ts';

/** Each program, with its package in Debian and Ubuntu. */
const PACKAGES: Record<FrontEndProgram, string> = { nginx: 'nginx-light', caddy: 'caddy' };

const isMissing = (program: FrontEndProgram): boolean => findFrontEnd(program) === undefined;
const missing = (Object.keys(PACKAGES) as FrontEndProgram[]).filter(isMissing);
if (missing.length > 0) {
	const frontEnds = installer({
		missing: `Not installed: ${missing.join(', ')}`,
		advice: 'Install nginx 1.19.5 or later and Caddy 2, then run the tests again.',
	});
	if (Bun.which('apt-get') !== null) withoutServices(() => frontEnds.apt(missing.map((program) => PACKAGES[program])));
	else if (Bun.which('brew') !== null) frontEnds.brew(missing, `brew install ${missing.join(' ')} (no services)`);
	else frontEnds.refuse('Neither apt-get nor brew is available to install them.');
	if (missing.some(isMissing)) frontEnds.refuse('They were installed, but were not found on PATH or in /usr/sbin.');

	/** Keeps systemd from starting the services of the packages, now and at boot. */
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
