import { byId } from '@orijs/examples-shared/element';
import type { Entry } from './entry.ts';

/** The number of entries that are kept. */
const MAX_ENTRIES = 300;
/** Messages of one person within this time, in milliseconds, are grouped. */
const GROUP_MS = 120_000;
/** A reader who has scrolled up less than this, in pixels, still follows the end. */
const NEAR_END = 80;

const list = byId('log', HTMLOListElement);
const latest = byId('latest', HTMLButtonElement);
/** In display order. */
let entries: Entry[] = [];
/** Whether the reader follows the end; to be asked before the log changes. */
let isFollowing = true;

latest.addEventListener('click', () => {
	toEnd();
	list.focus();
});
list.addEventListener('scroll', () => {
	isFollowing = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
	if (isFollowing) latest.hidden = true;
});
// An on-screen keyboard or a smaller window must not hide the end.
new ResizeObserver(() => {
	if (isFollowing) toEnd();
}).observe(list);

/** Inserts an entry by its time, the newest at the end. */
export function addEntry(entry: Entry, toItsEnd = false): void {
	const after = entries.findLastIndex(({ at }) => at <= entry.at);
	const [before] = entries.slice(after + 1);
	entries.splice(after + 1, 0, entry);
	list.insertBefore(entry.element, before?.element ?? null);
	for (const old of entries.splice(0, entries.length - MAX_ENTRIES)) old.element.remove();
	group();
	if (toItsEnd || isFollowing) toEnd();
	else latest.hidden = false;
}

/** Updates an entry whose time or look has changed. */
export function moveEntry(entry: Entry): void {
	const index = entries.indexOf(entry);
	if (index === -1) return;
	const hadFocus = entry.element.contains(document.activeElement);
	const isOutOfOrder =
		(entries[index - 1]?.at ?? -Infinity) > entry.at || (entries[index + 1]?.at ?? Infinity) < entry.at;
	if (isOutOfOrder) {
		entries.splice(index, 1);
		addEntry(entry);
	}
	group();
	if (isFollowing) toEnd();
	if (hadFocus && !entry.element.contains(document.activeElement)) list.focus();
}

/** The time of the newest entry that has one. */
export function newestTime(): number {
	return entries.findLast(({ at }) => at < Infinity)?.at ?? -Infinity;
}

export function clearLog(): void {
	entries = [];
	isFollowing = true;
	latest.hidden = true;
	list.replaceChildren();
}

/** Shows the name once per group of messages. */
function group(): void {
	let last: Entry | undefined;
	for (const entry of entries) {
		const at = Math.min(entry.at, Date.now());
		const follows = last?.by !== undefined && last.by === entry.by && at - Math.min(last.at, at) < GROUP_MS;
		entry.element.classList.toggle('follows', follows);
		last = entry;
	}
}

function toEnd(): void {
	list.scrollTop = list.scrollHeight;
	isFollowing = true;
	latest.hidden = true;
}
