import { SocketRouter } from '@orijs/core';
import type { Cluster } from '@orijs/websocket';
import { BanUser, Kick, LiftBan, Look } from './admin-messages.ts';
import type { Bans } from './bans.ts';
import { overview } from './overview.ts';
import { ban, removeFrom } from './removing.ts';

/** Handles the messages of admin pages, which need the moderators' key to connect. */
export function adminRouter(cluster: Cluster, bans: Bans, isKey: (key: unknown) => boolean): SocketRouter {
	return new SocketRouter()
		.authenticate(({ auth }) => isKey(auth))
		.on(Look, () => overview(cluster, bans))
		.on(Kick, ({ data: { userId, room } }) => removeFrom(cluster, { userId }, room, 'A moderator'))
		.on(BanUser, ({ data }) => ban(cluster, bans, data))
		.on(LiftBan, ({ data: { userId } }) => bans.lift(userId));
}
