import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';

/** Debian and Ubuntu install it in a folder of this one that is named for the machine, such as `x86_64-linux-gnu`. */
const LIBRARIES = '/usr/lib';
/** The variant for processes with several threads. */
const LIBRARY = 'faketime/libfaketimeMT.so.1';

/** Returns the path of libfaketime; undefined if it is not installed, or if this is not Linux. */
export function findFaketime(): string | undefined {
	if (process.platform !== 'linux') return undefined;
	return readdirSync(LIBRARIES)
		.map((name) => join(LIBRARIES, name, LIBRARY))
		.find((path) => existsSync(path));
}
