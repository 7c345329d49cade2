import type { PresenceHandle } from '@orijs/websocket-client';
import { MemberInfo, topicOf } from '../messages.ts';
import { client } from './client.ts';
import { type Member, membersOf } from './member.ts';
import { showPeople } from './people.ts';
import { showTyping } from './typing.ts';

/** How long a visitor who presses no more keys is still typing, in milliseconds. */
const TYPING_MS = 3_000;

let here: PresenceHandle<MemberInfo> | undefined;
let members: readonly Member[] = [];
let isStale = false;
let you = '';
let isTyping = false;
let idle: ReturnType<typeof setTimeout> | undefined;

/** Shows who is in the room that the visitor has entered, and who of them is typing. */
export function watchRoom(room: string): void {
	if (here !== undefined && here.topic === topicOf(room)) return;
	unwatchRoom();
	here = client.presence(topicOf(room), {
		schema: MemberInfo,
		onChange(change) {
			members = membersOf(change.members);
			({ isStale } = change);
			draw();
		},
	});
}

/** Shows no one, when the visitor is no longer in the room. */
export function unwatchRoom(): void {
	here?.close();
	here = undefined;
	clearTimeout(idle);
	isTyping = false;
	members = [];
	isStale = false;
	draw();
}

/** Says who of the members this visitor is. */
export function thisIsYou(id: string): void {
	you = id;
	draw();
}

/** Called on each key press. */
export function nowTyping(): void {
	clearTimeout(idle);
	idle = setTimeout(doneTyping, TYPING_MS);
	tell(true);
}

/** Called when a message has been sent: the next key press starts another one. */
export function doneTyping(): void {
	clearTimeout(idle);
	tell(false);
}

function tell(typing: boolean): void {
	if (typing === isTyping) return;
	isTyping = typing;
	// Fails if the visitor has gone to another room.
	here?.update({ typing }).catch(() => {});
}

function draw(): void {
	showPeople({ members, you, isStale });
	showTyping(members.filter(({ id }) => id !== you));
}
