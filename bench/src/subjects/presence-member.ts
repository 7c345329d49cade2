/** What a hand-written subject keeps of a client that is present. */
export interface Member {
	readonly client: string;
	readonly user: string;
	readonly info: typeof INFO;
}

/** What every member says of itself. */
export const INFO = { name: 'Ada Lovelace', color: '#3a55b8' } as const;

/** Returns the user with a number. Each client is another user. */
export function userOf(client: number): string {
	return `user-${client}`;
}

const members: Member[] = [];

export function memberOf(client: number): Member {
	return (members[client] ??= { client: crypto.randomUUID(), user: userOf(client), info: INFO });
}
