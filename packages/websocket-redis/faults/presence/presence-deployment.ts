import { until } from '@orijs/testkit';
import type { Backend } from '../harness/backend.ts';
import { watchLag } from '../harness/machine-lag.ts';
import { COLLECT_BEATS_ABOVE } from '../history/collect-beats.ts';
import { between, pick, random, sample } from '../history/random.ts';
import { audit } from './audit.ts';
import { differences } from './differences.ts';
import { PresenceClient } from './presence-client.ts';
import { PresenceNode } from './presence-node.ts';
import { leaveDelayOf, type NodeLogs, TOPICS } from './protocol.ts';
import { Recorder } from './recorder.ts';
import type { Finding } from './records.ts';

const NAMES = ['a', 'b', 'c'];
const USERS = 160;
/** Clients with a user: some users have two. */
const USER_CLIENTS = 200;
const GUEST_CLIENTS = 40;
/** Every how many clients one watches its topics. */
const WATCHING = 6;
const MOST_TOPICS = 3;
/** A user who reloads is back within `leaveDelayMs`, in milliseconds. */
const RELOAD_MS = { min: 0, max: 1_500 } as const;
/** How long a client stays away that leaves, in milliseconds. */
const AWAY_MS = { min: 100, max: 9_000 } as const;
const AGREE_MS = 40_000;

/** Three node processes on one backend, and their clients, who come, go and change topics all the time. */
export class PresenceDeployment<B extends Backend = Backend> {
	readonly backend: B;
	readonly nodes: readonly PresenceNode[];
	readonly recorder: Recorder;
	readonly clients: PresenceClient[] = [];
	readonly #lag = watchLag();
	#churn: ReturnType<typeof setInterval> | undefined;

	/** Resolves once all agree. @param isPopulated whether there are clients from the start */
	static async start<B extends Backend>(backend: B, isPopulated = true): Promise<PresenceDeployment<B>> {
		const options = { backend, collectBeatsAbove: COLLECT_BEATS_ABOVE, listensTo: ['room:0', 'desk:0'] };
		const nodes = await Promise.all(NAMES.map((name) => PresenceNode.start({ ...options, name })));
		const deployment = new PresenceDeployment(backend, nodes);
		try {
			if (isPopulated) deployment.#populate();
			await deployment.untilAllAgree();
			return deployment;
		} catch (error) {
			await deployment.stop();
			throw error;
		}
	}

	private constructor(backend: B, nodes: readonly PresenceNode[]) {
		this.backend = backend;
		this.nodes = nodes;
		this.recorder = new Recorder();
	}

	#populate(): void {
		for (let i = 0; i < USER_CLIENTS; i++) this.newClient(`c${i}`, `u${i % USERS}`, i % WATCHING === 0);
		for (let i = 0; i < GUEST_CLIENTS; i++) this.newClient(`g${i}`, undefined, i % WATCHING === 0);
		for (const client of this.clients) {
			client.wantAll(sample(TOPICS, between(1, MOST_TOPICS)));
			client.come();
		}
	}

	newClient(name: string, userId: string | undefined, watches: boolean): PresenceClient {
		const nodes = (): PresenceNode[] => this.nodes.filter(({ isUp }) => isUp);
		const client = new PresenceClient({ name, userId, watches, recorder: this.recorder, nodes });
		this.clients.push(client);
		return client;
	}

	clientsOf(node: PresenceNode): PresenceClient[] {
		return this.clients.filter((client) => client.node === node);
	}

	/** From now on clients come, go, reload and change their topics and their info. */
	startChurn(everyMs: number): void {
		const regulars = [...this.clients];
		this.#churn = setInterval(() => act(pick(regulars)), everyMs);
	}

	stopChurn(): void {
		clearInterval(this.#churn);
	}

	async kill(node: PresenceNode): Promise<void> {
		for (const client of this.clientsOf(node)) client.nodeEnds('killed');
		await node.kill();
	}

	async stopNode(node: PresenceNode): Promise<void> {
		for (const client of this.clientsOf(node)) client.nodeEnds('stopped');
		await node.stop();
	}

	/** Resolves once all clients are here, and nodes and watchers know exactly the members that there are. */
	async untilAllAgree(timeoutMs: number = AGREE_MS): Promise<void> {
		for (const client of this.clients) if (!client.isHere) client.come();
		let found: readonly string[] = ['nothing was compared'];
		await until(
			async () => {
				found = await differences(this.clients, this.nodes).catch((error: unknown) => [String(error)]);
				if (found.length > 0) await Bun.sleep(100);
				return found.length === 0;
			},
			{ what: () => `all agree; ${found.length} do not:\n${found.slice(0, 10).join('\n')}`, timeoutMs },
		);
	}

	/** Everything that was wrong so far. @param slackMs read before: the audit itself takes seconds */
	findings(slackMs: number): Finding[] {
		return [...this.recorder.wrongs, ...audit(this.recorder.record(), { leaveDelayMs: leaveDelayOf, slackMs })];
	}

	/** By how much times may be wrong: what this process was late, and what is on its way. In milliseconds. */
	get slackMs(): number {
		return 250 + this.#lag.maxMs();
	}

	async logs(): Promise<NodeLogs[]> {
		const present = await Promise.all(this.nodes.map((node) => node.ask<NodeLogs>({ do: 'logs' })));
		return [...present, ...this.nodes.flatMap(({ logs }) => logs)];
	}

	async stop(): Promise<void> {
		this.stopChurn();
		this.#lag.stop();
		for (const client of this.clients) client.leave('terminate');
		await Promise.all(this.nodes.map((node) => node.close()));
		await this.backend.stop();
	}
}

/** A client does something that clients do. */
function act(client: PresenceClient): void {
	if (!client.isHere) return;
	const how = random() < 0.5 ? 'close' : 'terminate';
	const what = random();
	if (what < 0.3) client.reload(between(RELOAD_MS.min, RELOAD_MS.max), how);
	else if (what < 0.45) {
		client.leave(how);
		setTimeout(() => client.come(), between(AWAY_MS.min, AWAY_MS.max));
	} else if (what < 0.55) client.update(Math.floor(random() * 1_000));
	else if (client.wanted.size > 1 && what < 0.78) client.dismiss(pick([...client.wanted]));
	else if (client.wanted.size < MOST_TOPICS) client.want(pick(TOPICS));
}
