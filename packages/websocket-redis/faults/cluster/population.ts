// Each client belongs to a user, is in a room, to which the server subscribes it, and asks for a topic itself.

export const CLIENTS_PER_NODE = 10;
export const USERS: readonly string[] = Array.from({ length: 12 }, (_, i) => `user:${i}`);
export const ROOMS: readonly string[] = Array.from({ length: 6 }, (_, i) => `room:${i}`);
/** The topics that clients ask for. */
export const OWN: readonly string[] = Array.from({ length: 3 }, (_, i) => `own:${i}`);

/** How long the guards of a connection take at most, in milliseconds. */
export const SLOWEST_GUARD_MS = 400;

export function userOf(client: number): string {
	return USERS[client % USERS.length] as string;
}

export function roomOf(client: number): string {
	return ROOMS[client % ROOMS.length] as string;
}

export function ownTopicOf(client: number): string {
	return OWN[client % OWN.length] as string;
}
