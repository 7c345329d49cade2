/** Beside PATH, the system's own Python: packages of Debian and Ubuntu are installed for that one only. */
const CANDIDATES = ['python3', '/usr/bin/python3'];

/** Returns a Python 3.9 or later that has the package `websockets`; undefined if there is none. */
export function findPython(): string | undefined {
	return CANDIDATES.map((name) => Bun.which(name)).find(
		(path) => path !== null && Bun.spawnSync([path, '-c', 'import sys, websockets; assert sys.version_info >= (3, 9)'], { stderr: 'ignore' }).success,
	) ?? undefined;
}
