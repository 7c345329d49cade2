/** A server that can be put in front of another one. */
export type FrontEndProgram = 'nginx' | 'caddy';

/** Folders of system programs, which not every user has on the PATH. */
const SYSTEM_PATH = ['/usr/sbin', '/usr/local/sbin'];

/** Returns the path of the program; undefined if it is not installed. */
export function findFrontEnd(program: FrontEndProgram): string | undefined {
	return Bun.which(program, { PATH: [process.env['PATH'] ?? '', ...SYSTEM_PATH].join(':') }) ?? undefined;
}
