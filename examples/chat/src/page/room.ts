import { isMessage, type Subscription } from '@orijs/websocket-client';
import { Enter, Here, type Person, Said, saidTopicOf, SHOWN_FIRST, topicOf, Typing } from '../messages.ts';
import { client } from './client.ts';
import { showProblem } from './composer.ts';
import { showNode } from './connection-state.ts';
import { gapEntry, recoveredEntry } from './entry.ts';
import { showRoom } from './head.ts';
import { addEntry, newestTime } from './log.ts';
import { clearPeople, forgetNode, hearWhoIsHere, thisIsYou } from './people.ts';
import { reasonOf } from './reason.ts';
import { forgetSaid, hearSaid } from './saying.ts';
import { clearTyping, hearTyping, stopsTyping } from './typing.ts';

/** The room that is shown. */
let shown: string | undefined;
let subscription: Promise<readonly Subscription[]> | undefined;
let nodeId: string | undefined;
/** The time of the last that came before the connection was lost: what is missing, is missing after it. */
let lostAfter: number | undefined;
/** How many messages came of what was said while one was away; undefined when nothing is to come. */
let missed: number | undefined;
let you: Person = { id: '', name: '' };

client.onStateChange((_state, { previous }) => {
	if (previous !== 'ready') return;
	lostAfter = newestTime();
	missed ??= 0;
});

/** The node by way of which one is in the room, or was before the connection was lost. */
export function currentNode(): string | undefined {
	return nodeId;
}

export function whoYouAre(): Person {
	return you;
}

/** Leaves the room one is in, and shows another. */
export function goTo(room: string): void {
	if (room === shown) return enter();
	void subscription?.then((both) => both.forEach((before) => void before.close())).catch(() => {});
	shown = room;
	missed = undefined;
	forgetSaid();
	clearPeople();
	clearTyping();
	showRoom(room);
	const said = client.subscribe(saidTopicOf(room), {
		rewind: SHOWN_FIRST,
		onMessage(_data, envelope) {
			if (room !== shown || !isMessage(Said, envelope)) return;
			stopsTyping(envelope.data.from.id);
			if (hearSaid(envelope.data) && missed !== undefined) missed++;
		},
		onRecovered() {
			if (room !== shown) return;
			if (missed) addEntry(recoveredEntry(lostAfter ?? Date.now(), missed));
			missed = undefined;
		},
		onGap({ since, until }) {
			if (room === shown) addEntry(gapEntry(Math.max(since, lostAfter ?? until), since, until));
		},
		onRefused: (error) => showProblem(`This room lets you in no more: ${reasonOf(error)}.`),
	});
	const passing = client.subscribe(topicOf(room), {
		onMessage(_data, envelope) {
			if (room !== shown) return;
			if (isMessage(Here, envelope)) hearWhoIsHere(envelope.data);
			else if (isMessage(Typing, envelope) && envelope.data.from.id !== you.id) hearTyping(envelope.data.from);
		},
	});
	subscription = Promise.all([said, passing]);
	subscription.catch((error: unknown) => {
		if (room !== shown) return;
		// It is to be asked for again on the next connection.
		shown = undefined;
		if (client.state !== 'closed') showProblem(`Not in this room: ${reasonOf(error)}.`);
	});
	enter();
}

/** Says in which room one is; to be said anew on each connection, and when one has another name. */
function enter(): void {
	const room = shown;
	if (room === undefined || client.state !== 'ready') return;
	client.request(Enter, { room }).then(
		({ you: me, node, people }) => {
			if (room !== shown) return;
			you = me;
			if (nodeId !== undefined && nodeId !== node.id) forgetNode(nodeId);
			nodeId = node.id;
			thisIsYou(me.id);
			hearWhoIsHere({ node, people });
			showNode(node.name);
		},
		(error: unknown) => {
			// If the connection has ended it comes back, and so do we.
			if (client.state === 'ready') showProblem(`Not in this room: ${reasonOf(error)}.`);
		},
	);
}
