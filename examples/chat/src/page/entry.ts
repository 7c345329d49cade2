import type { Said } from '../messages.ts';
import { make } from '@orijs/examples-shared/element';
import { avatar, nodeSign } from './looks.ts';
import { clock, clockWithSeconds } from './clock.ts';

/** An entry of the log. */
export interface Entry {
	readonly element: HTMLLIElement;
	/**
	 * The time that determines the entry's place in the log, in milliseconds since the epoch; Infinity until it is
	 * known.
	 */
	at: number;
	/** The sender's id, if the entry is a message. */
	readonly by?: string;
}

export function messageEntry({ from, node, text, at }: Said): Entry {
	const element = message(from.name, text, nodeSign(node), ' ', timeOf(at));
	return { element, at, by: from.id };
}

/** A message of this visitor, which may not have arrived yet. */
export interface OwnEntry extends Entry {
	/** Marks the message as pending. */
	pending(): void;
	said(said: Said): void;
	/** Marks the message as not sent. */
	failed(reason: string, again: () => void): void;
	/** Marks the message as sent, before it has come back from the room. */
	confirmed(at: number): void;
}

export function ownEntry(text: string, name: string, by: string): OwnEntry {
	const status = make('p', 'status');
	const element = message(name, text);
	element.classList.add('mine');
	element.querySelector('.body')?.append(status);
	const head = element.querySelector('.by');
	const arrived = (at: number, ...signs: (Node | string)[]): void => {
		entry.at = at;
		element.classList.remove('pending', 'failed');
		status.replaceChildren();
		head?.replaceChildren(make('bdi', 'name', name), ' ', ...signs, ' ', timeOf(at));
	};
	const entry: OwnEntry = {
		element,
		at: Infinity,
		by,
		pending() {
			element.classList.remove('failed');
			element.classList.add('pending');
			// Hidden, because sending is usually over before a screen reader could read this.
			status.ariaHidden = 'true';
			status.replaceChildren('Sending…');
		},
		said: ({ at, node }) => arrived(at, nodeSign(node)),
		confirmed(at) {
			if (element.classList.contains('pending')) arrived(at);
		},
		failed(reason, again) {
			element.classList.remove('pending');
			element.classList.add('failed');
			status.ariaHidden = 'false';
			const retry = make('button', 'retry', 'Try again');
			retry.type = 'button';
			retry.addEventListener('click', again);
			status.replaceChildren(`Not sent. ${reason}. `, retry);
		},
	};
	entry.pending();
	return entry;
}

/** Creates an entry for a notice, as opposed to a message. */
export function noticeEntry(at: number, ...content: (Node | string)[]): Entry {
	return { element: make('li', 'notice', make('p', '', ...content)), at };
}

/**
 * Creates the notice for messages that were recovered after a reconnect. @param at the time that determines its place
 * in the log
 */
export function recoveredEntry(at: number, count: number): Entry {
	return noticeEntry(
		at,
		count === 1 ? '1 message came while you were away' : `${count} messages came while you were away`,
	);
}

/** Creates the notice for a gap. @param at the time that determines its place in the log */
export function gapEntry(at: number, since: number, until: number): Entry {
	const entry = noticeEntry(
		at,
		`Messages between ${clockWithSeconds.format(since)} and ${clockWithSeconds.format(until)} may be missing`,
	);
	entry.element.classList.add('gap');
	return entry;
}

function message(name: string, text: string, ...signs: (Node | string)[]): HTMLLIElement {
	const words = make('p', 'text', text);
	words.dir = 'auto';
	const by = make('p', 'by', make('bdi', 'name', name), ' ', ...signs);
	return make('li', 'message', avatar(name), make('div', 'body', by, words));
}

function timeOf(at: number): HTMLTimeElement {
	const time = make('time', '', clock.format(at));
	time.dateTime = new Date(at).toISOString();
	return time;
}
