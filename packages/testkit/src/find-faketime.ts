import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where Debian and Ubuntu install it, below a folder named for the machine's architecture. */
const LIBRARIES = '/usr/lib';
const LIBRARY = 'faketime/libfaketimeMT.so.1';

/** Returns the path of libfaketime for programs with threads, or `undefined` if it is not installed. */
export function findFaketime(): string | undefined {
	if (!existsSync(LIBRARIES)) return undefined;
	const paths = readdirSync(LIBRARIES).map((name) => join(LIBRARIES, name, LIBRARY));
	return paths.find((path) => existsSync(path));
}
