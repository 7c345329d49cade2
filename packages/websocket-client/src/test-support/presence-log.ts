import type { MembersChange, PresenceHandle, PresenceOptions, SocketClient } from '../index.ts';

/** Writes down what a handle is told: `+` and `-` for who has come and left, `~` for who has changed. */
export class PresenceLog {
	readonly handle: PresenceHandle;
	/** Such as `+a +b =2`, where 2 is the count, or `=5 stale unnamed`. */
	readonly told: string[] = [];
	readonly changes: MembersChange[] = [];

	constructor(client: SocketClient, topic: string, options: PresenceOptions = {}) {
		this.handle = client.presence(topic, {
			...options,
			onChange: (change) => {
				this.changes.push(change);
				this.told.push(describe(change));
				return options.onChange?.(change);
			},
		});
	}

	/** The keys of the members that are known. */
	get keys(): string[] {
		return this.handle.members.map(({ key }) => key);
	}
}

function describe({ joined, left, updated, count, isStale, areMembersKnown }: MembersChange): string {
	return [
		...joined.map(({ key }) => `+${key}`),
		...left.map(({ key }) => `-${key}`),
		...updated.map(({ key }) => `~${key}`),
		`=${count}`,
		...(isStale ? ['stale'] : []),
		...(areMembersKnown ? [] : ['unnamed']),
	].join(' ');
}
