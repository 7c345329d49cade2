import type { PresenceMember } from '@orijs/websocket-client';
import { MemberInfo } from '../messages.ts';

/** Someone in the room: a visitor with all tabs. */
export interface Member extends MemberInfo {
	readonly id: string;
	/** The number of tabs. */
	readonly connections: number;
}

/** Returns the members, apart from those whose info this page can't read, as from a newer version. */
export function membersOf(members: readonly PresenceMember[]): Member[] {
	return members.flatMap(({ userId, connections, info }) => {
		const { success, data } = MemberInfo.safeParse(info);
		return success && userId !== undefined ? [{ ...data, id: userId, connections }] : [];
	});
}
