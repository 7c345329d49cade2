import type { PresenceMember } from '@orijs/websocket-client';
import type { MemberInfo } from '../messages.ts';

/** Someone in the room: a visitor with all tabs. */
export interface Member extends MemberInfo {
	readonly id: string;
	/** The number of tabs. */
	readonly connections: number;
}

/** Returns the members, apart from those whose info this page can't read, as from a newer version. */
export function membersOf(members: readonly PresenceMember<MemberInfo>[]): Member[] {
	return members.flatMap(({ userId, connections, info }) =>
		info !== undefined && userId !== undefined ? [{ ...info, id: userId, connections }] : [],
	);
}
