/** Besides the one on PATH, the system's own: `apt-get install python3-websockets` installs for that one only. */
const CANDIDATES = ['python3', '/usr/bin/python3'];
const CHECK = 'import sys, websockets; assert sys.version_info >= (3, 9)';

/** Returns the path of a Python 3.9 or later with the package `websockets`; undefined if it is not installed. */
export function findPython(): string | undefined {
	for (const candidate of CANDIDATES) {
		const path = Bun.which(candidate);
		if (path !== null && Bun.spawnSync([path, '-c', CHECK], { stderr: 'ignore' }).success) return path;
	}
	return undefined;
}
