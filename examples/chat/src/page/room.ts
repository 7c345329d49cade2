import { isMessage, type PendingSubscription } from '@orijs/websocket-client';
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

/** The room that the page shows. */
let shown: string | undefined;
let subscriptions: readonly PendingSubscription[] = [];
let nodeId: string | undefined;
/** The time of the last message before the connection was lost. Missing messages were sent after it. */
let lostAfter: number | undefined;
/** How many missed messages have been recovered; undefined while no recovery is expected. */
let missed: number | undefined;
let you: Person = { id: '', name: '' };

client.onStateChange((_state, { previous }) => {
	if (previous !== 'ready') return;
	lostAfter = newestTime();
	missed ??= 0;
});

/** Returns the id of the node that the visitor is connected to, or was connected to last. */
export function currentNode(): string | undefined {
	return nodeId;
}

export function whoYouAre(): Person {
	return you;
}

/** Leaves the current room and shows another one. */
export function goTo(room: string): void {
	if (room === shown) return enter();
	for (const left of subscriptions) void left.close();
	shown = room;
	missed = undefined;
	forgetSaid();
	clearPeople();
	clearTyping();
	showRoom(room);
	const said = client.subscribe(saidTopicOf(room), {
		message: Said,
		rewind: SHOWN_FIRST,
		onMessage(data) {
			stopsTyping(data.from.id);
			if (hearSaid(data) && missed !== undefined) missed++;
		},
		onRecovered() {
			if (missed) addEntry(recoveredEntry(lostAfter ?? Date.now(), missed));
			missed = undefined;
		},
		onGap({ since, until }) {
			addEntry(gapEntry(Math.max(since, lostAfter ?? until), since, until));
		},
		onRefused: (error) => showProblem(`You are no longer in this room: ${reasonOf(error)}.`),
	});
	const passing = client.subscribe(topicOf(room), {
		onMessage(_data, envelope) {
			if (isMessage(Here, envelope)) hearWhoIsHere(envelope.data);
			else if (isMessage(Typing, envelope) && envelope.data.from.id !== you.id) hearTyping(envelope.data.from);
		},
	});
	const both = [said, passing];
	subscriptions = both;
	Promise.all(both).catch((error: unknown) => {
		if (subscriptions !== both) return;
		// The subscription is requested again on the next connection.
		shown = undefined;
		if (client.state !== 'closed') showProblem(`Not in this room: ${reasonOf(error)}.`);
	});
	enter();
}

/** Enters the room on the server. Called again on every connection and after each change of name. */
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
			// If the connection was lost, the room is entered again on the next one.
			if (client.state === 'ready') showProblem(`Not in this room: ${reasonOf(error)}.`);
		},
	);
}
