import { byId } from '@orijs/examples-shared/element';
import { BanUser, Kick, LiftBan, Look } from '../../admin-messages.ts';
import type { Outcome } from '../../messages.ts';
import { reasonOf } from '../reason.ts';
import { unansweredText } from '../unanswered.ts';
import { askWhy } from './ask-why.ts';
import { client } from './client.ts';
import { askKey, currentKey, startKey } from './key.ts';
import { startState } from './state.ts';
import { draw } from './tables.ts';

const LOOK_EVERY_MS = 1_000;

const outcome = byId('outcome', HTMLElement);
let timer: ReturnType<typeof setTimeout> | undefined;

startState();
startKey(connect);
client.onStateChange((state, { end }) => {
	if (state === 'ready') void look();
	if (state === 'closed' && end?.code === 4401) askKey('That is not the key.');
});
if (currentKey() === undefined) askKey();
else connect();

function connect(): void {
	client.connect().catch(() => {});
}

/** Shows who is connected, now and every second from then on. */
async function look(): Promise<void> {
	clearTimeout(timer);
	try {
		draw(await client.request(Look, {}), { kick, ban, lift });
	} catch (error) {
		if (client.state === 'ready') outcome.textContent = `${reasonOf(error)}.`;
	}
	clearTimeout(timer);
	if (client.state === 'ready') timer = setTimeout(() => void look(), LOOK_EVERY_MS);
}

function kick(userId: string, name: string, rooms: readonly string[]): void {
	for (const room of rooms) {
		void act(client.request(Kick, { userId, room }), (sockets) =>
			sockets === 0 ? `${name} is not in #${room}.` : `${name} was removed from #${room}.`,
		);
	}
}

async function ban(userId: string, name: string): Promise<void> {
	const why = await askWhy(name);
	if (why === undefined) return;
	await act(client.request(BanUser, { userId, name, why }), (sockets) =>
		sockets === 1
			? `${name} is banned. 1 connection was ended.`
			: `${name} is banned. ${sockets} connections were ended.`,
	);
}

function lift(userId: string, name: string): void {
	client.request(LiftBan, { userId }).then(
		() => {
			outcome.textContent = `${name} may come back.`;
			return look();
		},
		(error: unknown) => {
			outcome.textContent = `${reasonOf(error)}.`;
		},
	);
}

/** Shows what has become of an action, and which nodes may not have done it. */
async function act(asked: Promise<Outcome>, words: (sockets: number) => string): Promise<void> {
	try {
		const done = await asked;
		outcome.textContent = `${words(done.sockets)} ${unansweredText(done)}`;
		await look();
	} catch (error) {
		outcome.textContent = `${reasonOf(error)}.`;
	}
}
