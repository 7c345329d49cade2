import type { Random } from '../random.ts';
import { lastingTopics, TOPICS, VISITORS_PER_NODE } from '../settings.ts';
import type { RecordingClient } from './recording-client.ts';

/** Between what one client does, in milliseconds. */
const PAUSE_MS = { min: 300, max: 15_000 } as const;
/** How long a client stays that comes and goes, in milliseconds. */
const STAY_MS = { min: 500, max: 120_000 } as const;
/** Topics of a client that comes and goes. */
const MAX_TOPICS = 3;

export interface ChurnOptions {
	readonly random: Random;
	/** The clients that stay, in the order of `lastingTopics`. */
	readonly lasting: readonly RecordingClient[];
	/** Creates a client in one of the groups. */
	readonly newClient: (group: number) => RecordingClient;
	readonly groups: number;
}

/** Clients that come and go, and that subscribe and unsubscribe. */
export class Churn {
	readonly #stopped = Promise.withResolvers<void>();
	#isOn = true;
	readonly #running: Promise<void>;
	/** Clients that have come and not gone. */
	readonly visitors: Set<RecordingClient> = new Set();

	constructor({ random, lasting, newClient, groups }: ChurnOptions) {
		const running = lasting.map((client, i) => this.#change(client, lastingTopics(i), random.fork()));
		for (let group = 0; group < groups; group++) {
			for (let i = 0; i < VISITORS_PER_NODE; i++) running.push(this.#comeAndGo(() => newClient(group), random.fork()));
		}
		this.#running = Promise.all(running).then(() => {});
	}

	/** Resolves when everything that is under way is done. Clients that have come stay. */
	async stop(): Promise<void> {
		this.#isOn = false;
		this.#stopped.resolve();
		await this.#running;
	}

	/** Subscribes and unsubscribes. */
	async #change(client: RecordingClient, kept: readonly string[], random: Random): Promise<void> {
		const topics = TOPICS.filter((topic) => !kept.includes(topic));
		while (await this.#pause(random.scaled(PAUSE_MS.min, PAUSE_MS.max))) {
			const topic = random.pick(topics);
			if (!client.topics.includes(topic)) await client.subscribe(topic);
			else {
				const left = client.unsubscribe(topic);
				// Sometimes it is subscribed to again before the server has answered.
				if (random.chance(0.2)) await this.#pause(random.between(0, 20)).then(() => client.subscribe(topic));
				await left;
			}
		}
	}

	async #comeAndGo(newClient: () => RecordingClient, random: Random): Promise<void> {
		while (await this.#pause(random.scaled(PAUSE_MS.min, PAUSE_MS.max))) {
			const client = newClient();
			this.visitors.add(client);
			await client.connect();
			const topics = random.sample(TOPICS, random.between(1, MAX_TOPICS));
			await Promise.all(topics.map((topic) => client.subscribe(topic)));
			if (!(await this.#pause(random.scaled(STAY_MS.min, STAY_MS.max)))) return;
			if (random.chance(0.3)) await Promise.all(topics.map((topic) => client.unsubscribe(topic)));
			this.visitors.delete(client);
			await client.close();
		}
	}

	/** Resolves after a while with whether to go on. */
	async #pause(ms: number): Promise<boolean> {
		await Promise.race([Bun.sleep(ms), this.#stopped.promise]);
		return this.#isOn;
	}
}
