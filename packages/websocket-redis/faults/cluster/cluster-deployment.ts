import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '@orijs/testkit';
import type { Backend } from '../harness/backend.ts';
import { pick } from '../history/random.ts';
import { audit, type Finding } from './audit.ts';
import { ClusterClient, type SeenEnd } from './cluster-client.ts';
import { Draw } from './draw-action.ts';
import { astray, seenOtherwise } from './effects.ts';
import { lifeOf, type NodeLife, type Span } from './lives.ts';
import { NodeProcess } from './node-process.ts';
import { CLIENTS_PER_NODE, userOf } from './population.ts';
import type { SeenNode } from './protocol.ts';

const NAMES = ['a', 'b', 'c', 'd', 'e'];
/** How long it may take until all nodes know each other and all clients are ready again, in milliseconds. */
const AGREE_MS = 30_000;
/** How long the last actions may take to settle, in milliseconds. */
const SETTLE_MS = 10_000;

/** What a run has shown. */
export interface Outcome {
	readonly findings: readonly Finding[];
	/** Sentences: what actions did to others, and what clients saw otherwise. */
	readonly wrongs: readonly string[];
	/** Unhandled rejections and exceptions of nodes. */
	readonly failures: readonly string[];
	readonly counts: {
		readonly actions: number;
		readonly partial: number;
		readonly sockets: number;
		readonly slowestMs: number;
		readonly processes: number;
		/** Lines of all nodes, without what starts and stops log. */
		readonly logLines: number;
	};
	/** Each line of the logs, and how often it came. */
	readonly log: ReadonlyMap<string, number>;
}

export interface ClusterDeploymentOptions {
	readonly nodes: number;
	readonly collectBeatsAbove: number;
	/** Default 10. */
	readonly clientsPerNode?: number;
}

/** Node processes on one backend, and their clients, all of which act on each other. */
export class ClusterDeployment<B extends Backend = Backend> {
	readonly backend: B;
	readonly nodes: readonly NodeProcess[];
	readonly clients: readonly ClusterClient[];
	/** When the backend was broken. */
	readonly outages: Span[] = [];
	readonly #dir: string;
	readonly #draw = new Draw();
	#pending = 0;

	static async start<B extends Backend>(
		backend: B,
		{ nodes: count, collectBeatsAbove, clientsPerNode = CLIENTS_PER_NODE }: ClusterDeploymentOptions,
	): Promise<ClusterDeployment<B>> {
		const dir = mkdtempSync(join(tmpdir(), 'cluster-faults-'));
		const names = NAMES.slice(0, count);
		const nodes = await Promise.all(names.map((name) => NodeProcess.start({ name, backend, collectBeatsAbove, dir })));
		const deployment = new ClusterDeployment(backend, nodes, dir, clientsPerNode);
		try {
			await deployment.untilAllAgree();
			return deployment;
		} catch (error) {
			await deployment.stop();
			throw error;
		}
	}

	private constructor(backend: B, nodes: readonly NodeProcess[], dir: string, clientsPerNode: number) {
		this.backend = backend;
		this.nodes = nodes;
		this.#dir = dir;
		this.clients = Array.from({ length: nodes.length * clientsPerNode }, (_, i) => {
			const node = nodes[i % nodes.length] as NodeProcess;
			return new ClusterClient(i, node.urlOf(i, userOf(i)));
		});
	}

	/** One node that has a process acts, whatever its condition. */
	act(): void {
		const up = this.nodes.filter(({ nodeId }) => nodeId !== undefined);
		if (up.length === 0) return;
		const sockets = this.clients.flatMap(({ socketId }) => socketId ?? []);
		const action = this.#draw.next({ sockets, nodes: up.flatMap(({ nodeId }) => nodeId ?? []) });
		this.#pending++;
		// A node that is killed does not reply; its journal has what counts.
		pick(up)
			.ask({ do: 'act', action }, 60_000)
			.catch(() => {})
			.finally(() => this.#pending--);
	}

	async untilSettled(): Promise<void> {
		await until(() => this.#pending === 0, { what: () => `${this.#pending} actions settle`, timeoutMs: SETTLE_MS });
	}

	/** Resolves once all nodes know each other and no others, and all clients are ready in the topics they know of. */
	async untilAllAgree(): Promise<void> {
		let difference: string | undefined = 'nothing was compared';
		await until(async () => (difference = await this.#difference()) === undefined, {
			what: () => `all agree: ${difference}`,
			timeoutMs: AGREE_MS,
		});
	}

	async #difference(): Promise<string | undefined> {
		const all = namesOf(this.nodes.map(({ nodeId = 'none' }) => nodeId));
		const topics = new Map<string, readonly string[]>();
		for (const node of this.nodes) {
			const seen = await node.ask<readonly SeenNode[]>({ do: 'nodes' });
			const known = namesOf(seen.map(({ id }) => id));
			if (known !== all) return `${node.name} knows ${known}, and there are ${all}`;
			const own = await node.ask<ReadonlyMap<string, readonly string[]>>({ do: 'topics' });
			for (const [socketId, names] of own) topics.set(socketId, names);
		}
		for (const [i, { socketId, topics: told }] of this.clients.entries()) {
			if (socketId === undefined) return `client ${i} is not ready`;
			const [client, server] = [namesOf(told), namesOf(topics.get(socketId) ?? [])];
			if (client !== server) return `client ${i} knows to be in ${client}, and its node has it in ${server}`;
		}
		return undefined;
	}

	/** Compares what actions said with what was done. */
	outcome(): Outcome {
		const nodes = this.#lives();
		const settled = nodes.flatMap((node) => node.settled);
		const log = new Map<string, number>();
		for (const line of nodes.flatMap((node) => node.log)) log.set(line, (log.get(line) ?? 0) + 1);
		return {
			findings: audit(nodes, Date.now()),
			wrongs: [...astray(nodes), ...seenOtherwise(nodes, this.#ends())],
			failures: nodes.flatMap(({ process, failures }) => failures.map((what) => `${process}: ${what}`)),
			counts: {
				actions: settled.length,
				partial: settled.filter(({ said }) => (said?.unanswered?.length ?? 0) > 0).length,
				sockets: settled.reduce((sum, { said }) => sum + (said?.sockets ?? 0), 0),
				slowestMs: Math.max(0, ...settled.map(({ tookMs, lateMs }) => tookMs - lateMs)),
				processes: nodes.length,
				logLines: nodes.reduce((sum, node) => sum + node.log.length, 0),
			},
			log,
		};
	}

	#lives(): NodeLife[] {
		return this.nodes.flatMap((node) =>
			node.records().flatMap((record) => lifeOf({ ...record, away: [...record.away, ...this.outages] }) ?? []),
		);
	}

	#ends(): ReadonlyMap<string, SeenEnd> {
		return new Map(this.clients.flatMap(({ ends }) => [...ends]));
	}

	/** @param keepsJournals whether the journals of the nodes are kept, for people who look for a cause */
	async stop(keepsJournals = false): Promise<void> {
		await Promise.all(this.clients.map((client) => client.close()));
		await Promise.all(this.nodes.map((node) => node.close()));
		await this.backend.stop();
		if (keepsJournals) console.log(`The journals of the nodes: ${this.#dir}`);
		else rmSync(this.#dir, { recursive: true });
	}
}

function namesOf(names: readonly string[]): string {
	return names.toSorted().join(' ') || 'none';
}
