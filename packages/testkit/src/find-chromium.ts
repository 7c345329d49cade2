import { existsSync, readFileSync, realpathSync } from 'node:fs';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const MAC_PATHS = [
	'/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
	'/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * Returns the path of this system's Chromium or Chrome, or `undefined` if there is no such browser. If CHROMIUM_PATH is
 * set, only that path is considered.
 */
export function findChromium(): string | undefined {
	const PATH = process.env['PATH'] ?? '';
	const named = process.env['CHROMIUM_PATH'];
	if (named) return Bun.which(named, { PATH }) ?? undefined;
	const onPath = NAMES.map((name) => Bun.which(name, { PATH })).filter((path) => path !== null);
	return onPath.find((path) => !isSnap(path)) ?? MAC_PATHS.find((path) => existsSync(path));
}

/**
 * Whether a browser is a snap, which is unusable because its /tmp is separate from that of the tests. Ubuntu's packages
 * are scripts that start a snap, or ask the user to install it.
 */
function isSnap(path: string): boolean {
	const target = realpathSync(path);
	if (target.endsWith('/bin/snap') || target.startsWith('/snap/')) return true;
	return readFileSync(target).subarray(0, 4096).includes('/snap/bin/');
}
