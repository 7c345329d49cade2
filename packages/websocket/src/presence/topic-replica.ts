import type { Turns } from '../support/turns.ts';
import type { PresenceContent } from '../wire/presence-frame.ts';
import { ChangeNotices, type ChangeNoticesOptions, type ToldState } from './change-notices.ts';
import { type BackendClock, MemberView } from './member-view.ts';
import type { OwnMembersView } from './own-members-contract.ts';
import type { WatchedMembers } from './presence-contract.ts';
import type { PresenceRule } from './presence-rules.ts';
import type { PresenceState, PresenceStore, PresenceVersion, StoredMember } from './presence-store.ts';
import { type Applied, StoredMembers } from './stored-members.ts';
import { TopicSync } from './topic-sync.ts';

export interface ReplicaContext {
	readonly nodeId: string;
	readonly store: PresenceStore;
	readonly own: OwnMembersView;
	readonly clock: BackendClock;
	readonly turns: Turns;
	/** Returns whether the backend is available. */
	readonly isReady: () => boolean;
	/** Subscribes to a topic's changes. Resolves once all changes from then on arrive. */
	readonly subscribe: (topic: string) => Promise<void>;
	/** Called when a page has entries that can't be read. */
	readonly onSkipped: (topic: string, skipped: number) => void;
	/** Called when a topic could not be read. It is retried. */
	readonly onError: (error: Error) => void;
}

/** What is known: nothing yet, the members, or only their number. */
type Knowledge = 'nothing' | 'members' | 'count';

/** What was read. Without members, only the count is known. */
interface Read {
	readonly version: PresenceVersion | undefined;
	readonly count: number;
	readonly members: readonly StoredMember[] | undefined;
}

/** See `membersUpTo` in `PresenceBatch`. */
const NAMED_SHARE = 0.9;
/** The most members of one read. */
const PAGE = 1_000;

/** Knows the members of one watched topic on all nodes, or their number, and tells what changes. */
export class TopicReplica {
	readonly topic: string;
	/** The most members that are known by name. */
	readonly #membersUpTo: number;
	readonly #context: ReplicaContext;
	readonly #stored: StoredMembers;
	readonly #view: MemberView;
	readonly #notices: ChangeNotices;
	readonly #sync: TopicSync<Read>;
	readonly #known = Promise.withResolvers<void>();
	#knowledge: Knowledge = 'nothing';
	#hasRead = false;
	/** Whether the backend names members again, while only their number is known. */
	#isNamed = false;

	constructor(topic: string, rule: PresenceRule, context: ReplicaContext, onTell: ChangeNoticesOptions['onTell']) {
		this.topic = topic;
		this.#membersUpTo = rule.events === 'members' ? rule.membersUpTo : 0;
		this.#context = context;
		const { nodeId, own, clock, isReady, turns, subscribe, onError } = context;
		this.#stored = new StoredMembers(nodeId);
		this.#sync = new TopicSync({
			turns,
			isReady,
			subscribe: () => subscribe(topic),
			read: () => this.#read(),
			reset: (read) => this.#reset(read),
			apply: (content, isOwn) => this.#apply(content, isOwn),
			onStale: () => this.#staleChanged(),
			onError,
		});
		this.#view = new MemberView({
			topic,
			own,
			stored: this.#stored,
			clock,
			isReady,
			onChange: (key) => this.#notices.changed(key),
		});
		this.#notices = new ChangeNotices({ topic, view: this.#view, state: () => this.#state, onTell });
	}

	start(): void {
		this.#sync.start();
	}

	/** Resolves once it is known who is there, or at least that the backend can't say. Never rejects. */
	get known(): Promise<void> {
		return this.#known.promise;
	}

	/** Whether nothing is known but that the backend can't say. */
	get isBlank(): boolean {
		return !this.#hasRead && this.count === 0;
	}

	get isStale(): boolean {
		return this.#sync.isStale;
	}

	get count(): number {
		if (this.#knowledge === 'members') return this.#view.size;
		return this.#hasRead ? this.#stored.count : Array.from(this.#context.own.of(this.topic)).length;
	}

	get areMembersKnown(): boolean {
		return this.#knowledge === 'members';
	}

	/** Resolves once all that has changed until now is told. */
	told(): Promise<void> {
		return this.#notices.told();
	}

	/**
	 * Returns members as they were told last, so that the next notice follows.
	 *
	 * @param characters about the most that they have; one member is returned in any case
	 */
	page(after: string | undefined, limit: number, characters?: number): WatchedMembers {
		return this.#notices.page(after, limit, characters);
	}

	get #state(): ToldState {
		return { count: this.count, areMembersKnown: this.areMembersKnown, isStale: this.isStale };
	}

	// What happens

	/** Called when the members at the backend have changed. @param isOwn whether by this node */
	received(content: PresenceContent, isOwn: boolean): void {
		this.#sync.received(content, isOwn);
	}

	/** Called when changes of this node have been stored. What they were may not have come yet. */
	ownStored(state: PresenceState): void {
		if (this.#knowledge !== 'count') return;
		this.#stored.counted(state);
		this.#notices.touched();
	}

	/** Called when a member of this node has come, left or changed. */
	ownChanged(key: string): void {
		if (this.#knowledge === 'members') this.#view.update(key);
	}

	/** Called when changes may have been missed. */
	missed(): void {
		this.#sync.missed();
	}

	/** Called when the backend has become available or unavailable. */
	statusChanged(): void {
		this.#sync.statusChanged();
	}

	close(): void {
		this.#sync.close();
		this.#notices.close();
		this.#view.clear();
		this.#known.resolve();
	}

	#staleChanged(): void {
		if (this.#knowledge === 'nothing' && this.isStale) this.#start(this.#membersUpTo > 0 ? 'members' : 'count');
		else this.#notices.touched();
	}

	// Reading

	async #read(): Promise<Read> {
		const { topic } = this;
		const { store, onSkipped } = this.#context;
		if (this.#membersUpTo === 0) return { ...(await store.count(topic)), members: undefined };
		const members: StoredMember[] = [];
		let first: Omit<Read, 'members'> | undefined;
		for (let after: string | undefined, hasMore = true; hasMore; after = members.at(-1)?.key) {
			const page = await store.read(topic, { after, limit: Math.min(PAGE, this.#membersUpTo) });
			const { version, count, skipped } = page;
			if (skipped > 0) onSkipped(topic, skipped);
			// Of several pages, the changes that follow the first one count.
			first ??= { version, count };
			if (count > this.#membersUpTo) return { version, count, members: undefined };
			if (first.version?.epoch !== version?.epoch) throw new Error('the backend has lost the topic while it was read');
			members.push(...page.members);
			hasMore = page.hasMore && page.members.length > 0;
		}
		return { version: first?.version, count: first?.count ?? 0, members };
	}

	#reset({ version, count, members }: Read): void {
		const known = this.#stored.version;
		const isLost = known !== undefined && (known.epoch !== version?.epoch || known.n > version.n);
		if (isLost && this.#knowledge === 'members') this.#view.keepLost();
		this.#hasRead = true;
		this.#stored.reset(members ?? [], version, count);
		if (members === undefined || (this.#knowledge === 'count' && !this.#isNamed && count > this.#namedUpTo)) {
			this.#conceal();
		} else if (this.#knowledge === 'members') this.#view.updateAll();
		else this.#start('members');
	}

	#apply(content: PresenceContent, isOwn: boolean): Applied {
		const applied = this.#stored.apply(content, isOwn);
		if (applied === 'unnamed') this.#conceal();
		else if (applied === 'applied') {
			if (this.#knowledge === 'members') for (const { key } of content.changes ?? []) this.#view.update(key);
			// Members are named again, so they are to be known.
			else if (this.#membersUpTo > 0) {
				this.#isNamed = true;
				return 'missed';
			}
			this.#notices.touched();
		}
		return applied;
	}

	/** With at most this number of members, the backend names them again. */
	get #namedUpTo(): number {
		return this.#membersUpTo * NAMED_SHARE;
	}

	/** Only the count is known from now on. */
	#conceal(): void {
		this.#isNamed = false;
		if (this.#knowledge === 'nothing') return this.#start('count');
		if (this.#knowledge === 'members') {
			this.#knowledge = 'count';
			this.#view.clear();
			this.#stored.reset([], this.#stored.version, this.#stored.count);
			this.#notices.concealed();
		} else this.#notices.touched();
	}

	#start(knowledge: 'members' | 'count'): void {
		const wasKnown = this.#knowledge !== 'nothing';
		this.#knowledge = knowledge;
		if (knowledge === 'members') this.#view.updateAll();
		if (wasKnown) this.#notices.revealed();
		else {
			this.#notices.started();
			this.#known.resolve();
		}
	}
}
