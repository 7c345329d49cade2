import { isMessage } from '@orijs/websocket-client';
import { Enter, type Person, Remove, Said, saidTopicOf, SHOWN_FIRST } from '../messages.ts';
import { client } from './client.ts';
import { showProblem } from './composer.ts';
import { showNode } from './connection-state.ts';
import { gapEntry, recoveredEntry } from './entry.ts';
import { showRoom } from './head.ts';
import { addEntry, newestTime } from './log.ts';
import { isOutside, nowInside, nowOutside } from './outside.ts';
import { mayRemove } from './people.ts';
import { thisIsYou, unwatchRoom, watchRoom } from './presence.ts';
import { reasonOf } from './reason.ts';
import { forgetSaid, hearSaid } from './saying.ts';
import { unansweredText } from './unanswered.ts';

/** The room that the page shows. */
let shown = '';
let node = { id: '', name: '' };
/** The time of the last message before the connection was lost. Missing messages were sent after it. */
let lostAfter: number | undefined;
/** How many missed messages have been recovered; undefined while no recovery is expected. */
let missed: number | undefined;
let you: Person = { id: '', name: '' };

// The server decides in which room the visitor is. The page follows: it asks to enter a room, and listens.

client.onTopicsChange(({ topic, type, code, message }) => {
	if (topic !== saidTopicOf(shown)) return;
	if (type === 'subscribed') {
		nowInside();
		watchRoom(shown);
		void readLatest(shown);
	} else if (code !== 'left') {
		unwatchRoom();
		nowOutside(message ?? 'You are no longer in this room', enter);
	}
});

client.on(Said, (said, { topic }) => {
	if (topic !== saidTopicOf(shown)) return;
	if (hearSaid(said) && missed !== undefined) missed++;
});

client.onStateChange((_state, { previous }) => {
	if (previous !== 'ready') return;
	lostAfter = newestTime();
	missed ??= 0;
});

client.onRecovered(({ topic, recovered }) => {
	if (topic !== saidTopicOf(shown)) return;
	if (!recovered) void readLatest(shown);
	else if (missed) addEntry(recoveredEntry(lostAfter ?? Date.now(), missed));
	missed = undefined;
});

client.onGap(({ topic, since, until }) => {
	if (topic === saidTopicOf(shown)) addEntry(gapEntry(Math.max(since, lostAfter ?? until), since, until));
});

/** Returns the id of the node that the visitor is connected to, or was connected to last. */
export function currentNode(): string {
	return node.id;
}

export function whoYouAre(): Person {
	return you;
}

/** Shows a room and enters it. Called again on every connection and after each change of name. */
export function goTo(room: string): void {
	if (room !== shown) {
		shown = room;
		missed = undefined;
		nowInside();
		forgetSaid();
		unwatchRoom();
		showRoom(room);
	}
	if (client.state !== 'ready') return;
	if (isOutside()) showNode(node.name);
	else enter();
}

/** Asks the server to put the visitor into the room that the page shows. */
function enter(): void {
	const room = shown;
	client.request(Enter, { room }).then(
		(entered) => {
			if (room !== shown) return;
			you = entered.you;
			({ node } = entered);
			thisIsYou(you.id);
			mayRemove(entered.isModerator ? remove : undefined);
			showNode(node.name);
		},
		(error: unknown) => {
			// If the connection was lost, the room is entered again on the next one.
			if (client.state === 'ready') showProblem(`Not in this room: ${reasonOf(error)}.`);
		},
	);
}

function remove(id: string): void {
	client.request(Remove, { id, room: shown }).then(
		(outcome) => showProblem(unansweredText(outcome)),
		(error: unknown) => showProblem(`${reasonOf(error)}.`),
	);
}

/** Shows the room's latest messages, apart from those that the page shows already. */
async function readLatest(room: string): Promise<void> {
	try {
		const { messages } = await client.history(saidTopicOf(room), { limit: SHOWN_FIRST });
		if (room !== shown) return;
		for (const envelope of messages) if (isMessage(Said, envelope)) hearSaid(envelope.data);
	} catch (error) {
		// If the connection was lost, the client recovers the messages, or reports a gap.
		if (client.state === 'ready') showProblem(`Earlier messages are not shown: ${reasonOf(error)}.`);
	}
}
