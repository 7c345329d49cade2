import type { Logger } from '@orijs/websocket';
import { afterEach } from 'vitest';
import { createNoticeBoard, type NoticeBoardOptions } from '../server.ts';
import { DEMO_USERS, type NewUser, Users } from '../users.ts';
import type { Port } from './member.ts';

/** Prints only errors, because refusals are expected here. */
const quiet: Logger = { debug() {}, info() {}, warn() {}, error: console.error };

// Shared by all tests, because hashing passwords is slow on purpose.
const users = Users.create(DEMO_USERS);
const started: { stop(): Promise<void> }[] = [];

afterEach(async () => {
	await Promise.all(started.splice(0).map((board) => board.stop()));
});

/** Starts a notice board with the demo users for one test. Returns its port. */
export async function startBoard(options: Omit<NoticeBoardOptions, 'users'> = {}): Promise<Port> {
	const board = createNoticeBoard({ users: await users, logger: quiet, ...options });
	started.push(board);
	return (await board.listen(0)).port;
}

export const [ada, grace, linus] = DEMO_USERS as readonly [NewUser, NewUser, NewUser];
