import type { PresenceNotice, WatchAnswer } from '@orijs/websocket/protocol';
import { between, pick } from '../history/random.ts';
import { MemberView } from './member-view.ts';
import type { PresenceNode } from './presence-node.ts';
import type { RecordedView, Recorder } from './recorder.ts';
import type { Stay } from './records.ts';

/** How long a connection may take to become ready, in milliseconds: a node may be frozen. */
const CONNECT_MS = 3_000;
/** How soon a refused request is sent again, in milliseconds. */
const RETRY_MS = 300;
/** How soon a client comes back that has lost its connection, in milliseconds: within any `leaveDelayMs`. */
const BACK_MS = { min: 20, max: 500 } as const;

export interface PresenceClientOptions {
	readonly name: string;
	readonly userId: string | undefined;
	/** Whether it watches all its topics. */
	readonly watches: boolean;
	readonly recorder: Recorder;
	/** Returns the nodes that take connections. */
	readonly nodes: () => readonly PresenceNode[];
}

/** A topic of a client, on its present connection. */
interface Joined {
	readonly stay: Stay;
	view: WatchedTopic | undefined;
}

interface WatchedTopic {
	readonly members: MemberView;
	/** Undefined while the members are not known. */
	recorded: RecordedView | undefined;
}

interface Frame {
	readonly type?: string;
	readonly correlationId?: string;
	readonly data?: unknown;
	readonly error?: { readonly code: string; readonly message: string };
}

type Reply = (data: unknown, error: Frame['error']) => void;

/** A client that speaks the protocol by itself, comes back whatever happens, and writes down what it does and sees. */
export class PresenceClient {
	readonly name: string;
	readonly userId: string | undefined;
	readonly watches: boolean;
	/** The topics that it wants to be in. */
	readonly wanted: Set<string> = new Set();
	/** What it adds to its info, in each topic. */
	status: number | undefined;
	/** The node that it is connected to, ready or not. */
	node: PresenceNode | undefined;
	/** Undefined while it is not ready. */
	socketId: string | undefined;
	/** Whether it is to be connected. */
	isHere = false;
	/** How many changes of topics it was sent. */
	notices = 0;
	readonly joined: Map<string, Joined> = new Map();
	readonly #recorder: Recorder;
	readonly #nodes: () => readonly PresenceNode[];
	readonly #replies = new Map<string, Reply>();
	/** Stays that it has ended by `@unsubscribe`, which is not answered yet. */
	readonly #leaving = new Set<Stay>();
	#socket: WebSocket | undefined;
	#lastId = 0;

	constructor({ name, userId, watches, recorder, nodes }: PresenceClientOptions) {
		this.name = name;
		this.userId = userId;
		this.watches = watches;
		this.#recorder = recorder;
		this.#nodes = nodes;
	}

	get key(): string {
		return this.userId === undefined ? `socket:${this.socketId}` : `user:${this.userId}`;
	}

	/** Connects, to any node unless one is given, and stays connected. */
	come(node?: PresenceNode): void {
		this.isHere = true;
		if (this.#socket !== undefined) return;
		const nodes = this.#nodes();
		if (node === undefined && nodes.length === 0) return this.#comeLater();
		this.#connect(node ?? pick(nodes));
	}

	/** @param how by a close frame, or as a network does that is gone */
	leave(how: 'close' | 'terminate' = 'close'): void {
		this.isHere = false;
		this.#drop(how);
	}

	/** Ends the connection and comes back, as a page does that is loaded again, elsewhere too. */
	reload(afterMs: number, how: 'close' | 'terminate' = 'close'): void {
		this.#drop(how);
		setTimeout(() => this.isHere && this.come(), afterMs);
	}

	want(topic: string): void {
		this.wanted.add(topic);
		this.#subscribe([topic]);
	}

	/** Asks for topics in one frame. */
	wantAll(topics: readonly string[]): void {
		for (const topic of topics) this.wanted.add(topic);
		this.#subscribe(topics);
	}

	dismiss(topic: string): void {
		this.wanted.delete(topic);
		const joined = this.joined.get(topic);
		if (joined === undefined) return;
		this.joined.delete(topic);
		joined.view?.recorded?.end();
		const { stay } = joined;
		stay.isLeaving = true;
		stay.until = Math.min(stay.until, Date.now());
		this.#leaving.add(stay);
		this.#request('@unsubscribe', { topic }, () => {
			if (!this.#leaving.delete(stay)) return;
			stay.goneAt = Math.min(stay.goneAt, Date.now());
			stay.end = 'unsubscribed';
		});
	}

	/** Changes its own info in all topics. */
	update(status: number): void {
		this.status = status;
		for (const topic of this.joined.keys()) this.#sendInfo(topic);
	}

	/** The node of this client has been killed or told to stop. */
	nodeEnds(end: 'killed' | 'stopped'): void {
		for (const stay of this.#openStays()) {
			stay.end = end;
			stay.until = Math.min(stay.until, Date.now());
		}
	}

	#connect(node: PresenceNode): void {
		const query = new URLSearchParams({ name: this.name, ...(this.userId !== undefined && { user: this.userId }) });
		const socket = new WebSocket(`ws://127.0.0.1:${node.port}/ws?${query.toString()}`, 'orijs.1');
		this.#socket = socket;
		this.node = node;
		const late = setTimeout(() => socket.terminate(), CONNECT_MS);
		socket.onopen = () =>
			this.#request('@auth', undefined, (data, error) => {
				clearTimeout(late);
				if (error !== undefined) return socket.close();
				this.socketId = (data as { readonly socketId: string }).socketId;
				this.#subscribe([...this.wanted]);
			});
		socket.onmessage = ({ data }) => {
			if (this.#socket === socket && typeof data === 'string') this.#received(JSON.parse(data) as Frame);
		};
		socket.onclose = ({ code, reason }) => {
			clearTimeout(late);
			if (this.#socket !== socket) return;
			this.#ended();
			if (code === 1013 || code === 1008 || code === 1002)
				this.#recorder.wrong('loss', `${this.name} was closed: ${code} ${reason}`);
			if (this.isHere) this.#comeLater();
		};
	}

	#comeLater(): void {
		setTimeout(() => this.isHere && this.come(), between(BACK_MS.min, BACK_MS.max));
	}

	#drop(how: 'close' | 'terminate'): void {
		const socket = this.#socket;
		if (socket === undefined) return;
		const stays = this.#ended();
		for (const stay of stays) stay.goneAt = Infinity;
		const isGone = (): void => {
			for (const stay of stays) stay.goneAt = Math.min(stay.goneAt, Date.now());
		};
		socket.onclose = isGone;
		if (how === 'terminate') socket.terminate();
		else {
			socket.close();
			// The node may be frozen, and does not answer.
			setTimeout(() => socket.terminate(), CONNECT_MS);
		}
	}

	/** Writes down that the connection has ended. Returns the stays that ended with it. */
	#ended(): Stay[] {
		for (const { view } of this.joined.values()) view?.recorded?.end();
		const stays = this.#openStays();
		for (const stay of stays) {
			stay.until = Math.min(stay.until, Date.now());
			stay.goneAt = Math.min(stay.goneAt, Date.now());
		}
		this.#leaving.clear();
		this.joined.clear();
		this.#replies.clear();
		this.#socket = undefined;
		this.socketId = undefined;
		this.node = undefined;
		return stays;
	}

	#openStays(): Stay[] {
		return [...this.#leaving, ...Array.from(this.joined.values(), ({ stay }) => stay)];
	}

	#subscribe(topics: readonly string[]): void {
		if (this.socketId === undefined || this.node === undefined) return;
		const { name } = this.node;
		const asked = topics.filter((topic) => !this.joined.has(topic));
		if (asked.length === 0) return;
		const all = asked.map((topic) => {
			const joined: Joined = { stay: this.#recorder.asked(topic, this.key, name), view: undefined };
			this.joined.set(topic, joined);
			return [topic, joined] as const;
		});
		this.#request('@subscribe', { topics: asked }, (data, error) => {
			const refused =
				error === undefined
					? (data as { readonly refused: { readonly topic: string }[] }).refused
					: all.map(([topic]) => ({ topic }));
			for (const [topic, joined] of all) {
				if (this.joined.get(topic) !== joined) continue;
				if (refused.some((each) => each.topic === topic)) this.#refused(topic, joined);
				else this.#confirmed(topic, joined);
			}
		});
	}

	#refused(topic: string, { stay }: Joined): void {
		this.joined.delete(topic);
		stay.until = stay.goneAt = Date.now();
		setTimeout(() => this.wanted.has(topic) && this.#subscribe([topic]), RETRY_MS);
	}

	#confirmed(topic: string, joined: Joined): void {
		joined.stay.from = Date.now();
		if (this.status !== undefined) this.#sendInfo(topic);
		if (this.watches) this.#watch(topic, joined);
	}

	#sendInfo(topic: string): void {
		const joined = this.joined.get(topic);
		const { status } = this;
		this.#request('@update', { topic, info: { status } }, (_, error) => {
			const isCurrent = this.joined.get(topic) === joined && this.status === status;
			if (error !== undefined && isCurrent)
				setTimeout(() => this.joined.get(topic) === joined && this.#sendInfo(topic), RETRY_MS);
		});
	}

	#watch(topic: string, joined: Joined, after?: string): void {
		this.#request('@watch', { topic, ...(after !== undefined && { after }) }, (data, error) => {
			if (this.joined.get(topic) !== joined) return;
			if (error !== undefined)
				return void setTimeout(() => this.joined.get(topic) === joined && this.#watch(topic, joined), RETRY_MS);
			joined.view ??= this.#newView(topic);
			const { members } = joined.view;
			const next = members.answer(data as WatchAnswer, after);
			this.#told(topic, joined.view);
			if (next !== undefined) this.#watch(topic, joined, next.after);
		});
	}

	#newView(topic: string): WatchedTopic {
		const node = this.node?.name ?? '';
		const view: WatchedTopic = {
			members: new MemberView({
				onAppear: (key) => (view.recorded ??= this.#recorder.view(this.name, topic, node)).appear(key),
				onVanish: (key) => view.recorded?.vanish(key),
				onRepeated: () => this.#recorder.repeated++,
				onWrong: (kind, what) => this.#recorder.wrong(kind, `${this.name} on ${node} was told, in ${topic}: ${what}`),
			}),
			recorded: undefined,
		};
		return view;
	}

	/** Writes down what has changed besides the members. What is known of members ends where only their number is. */
	#told(topic: string, view: WatchedTopic): void {
		const { members, isComplete, isStale } = view.members;
		if (members === undefined) {
			view.recorded?.end();
			view.recorded = undefined;
		} else if (isComplete) view.recorded ??= this.#recorder.view(this.name, topic, this.node?.name ?? '');
		view.recorded?.mark(isStale);
	}

	#request(type: string, data: unknown, reply: Reply): void {
		const correlationId = String(++this.#lastId);
		this.#replies.set(correlationId, reply);
		this.#socket?.send(JSON.stringify({ type, data, correlationId }));
	}

	#received({ type, correlationId, data, error }: Frame): void {
		if (correlationId !== undefined) {
			const reply = this.#replies.get(correlationId);
			this.#replies.delete(correlationId);
			reply?.(data, error);
		} else if (type === '@presence') this.#notice(data as PresenceNotice);
	}

	#notice(notice: PresenceNotice): void {
		this.#recorder.notices++;
		this.notices++;
		const joined = this.joined.get(notice.topic);
		if (joined?.view === undefined) return;
		const { members } = joined.view;
		const applied = members.notice(notice);
		this.#told(notice.topic, joined.view);
		if (applied !== 'again') return;
		this.#recorder.rereads++;
		this.#watch(notice.topic, joined);
	}
}
