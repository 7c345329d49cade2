import { until } from '@orijs/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { oneRedis } from './harness/backend.ts';
import { expectNone } from './harness/expect-none.ts';
import { describeFindings } from './presence/describe-findings.ts';
import type { PresenceClient } from './presence/presence-client.ts';
import { PresenceDeployment } from './presence/presence-deployment.ts';
import type { PresenceNode } from './presence/presence-node.ts';

const CLIENTS = 5_000;
/** In how many parts they join: ten every 100 ms. */
const PARTS = 10;
/** How many connect at once. */
const CONNECTING = 200;
/** The most frames that each client gets for it: four in a second, and those of the time that it takes on top. */
const FRAMES_PER_SECOND = 5;
const AGREE_MS = 60_000;

// The members of `storm:` are told up to 10,000, those of `crowd:` up to 1,000: then only their count.
it.each(['storm:0', 'crowd:0'])(
	'5,000 joins and 5,000 leaves in a second, in %s',
	async (topic) => {
		const deployment = await PresenceDeployment.start(await oneRedis()({}), false);
		onTestFinished(() => deployment.stop());
		const { nodes } = deployment;
		const nodeOf = (i: number): PresenceNode => nodes[i % nodes.length] as PresenceNode;
		const watchers = nodes.map((node, i) => {
			const watcher = deployment.newClient(`w${i}`, `w${i}`, true);
			watcher.want(topic);
			watcher.come(node);
			return watcher;
		});
		const crowd = Array.from({ length: CLIENTS }, (_, i) => deployment.newClient(`c${i}`, `u${i}`, false));
		for (let i = 0; i < CLIENTS; i += CONNECTING) {
			const some = crowd.slice(i, i + CONNECTING);
			for (const [at, client] of some.entries()) client.come(nodeOf(i + at));
			await untilReady(some);
		}
		await deployment.untilAllAgree();

		const joining = await storm(deployment, watchers, crowd, (client) => client.want(topic));
		const leaving = await storm(deployment, watchers, crowd, (client) => client.dismiss(topic));

		console.log('presence storm', topic, { joining, leaving });
		const { texts } = describeFindings(deployment.recorder.wrongs, []);
		expectNone('findings', texts);
		for (const { frames, ms } of [joining, leaving])
			expect(frames).toBeLessThanOrEqual((FRAMES_PER_SECOND * ms) / 1_000 + 2);
	},
	180_000,
);

async function untilReady(clients: readonly PresenceClient[]): Promise<void> {
	await until(() => clients.every(({ socketId }) => socketId !== undefined), {
		what: 'clients are connected',
		timeoutMs: 20_000,
	});
}

/** Does something to all within a second. Returns the frames of a watcher, and the time until all agreed. */
async function storm(
	deployment: PresenceDeployment,
	watchers: readonly PresenceClient[],
	crowd: readonly PresenceClient[],
	what: (client: PresenceClient) => void,
): Promise<{ readonly frames: number; readonly ms: number }> {
	const before = watchers.map(({ notices }) => notices);
	const from = performance.now();
	for (let part = 0; part < PARTS; part++) {
		for (let i = part; i < crowd.length; i += PARTS) what(crowd[i] as PresenceClient);
		await Bun.sleep(1_000 / PARTS);
	}
	await deployment.untilAllAgree(AGREE_MS);
	const ms = Math.round(performance.now() - from);
	return { frames: Math.max(...watchers.map(({ notices }, i) => notices - (before[i] as number))), ms };
}
