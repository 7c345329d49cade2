import { byId } from '@orijs/examples-shared/element';
import type { Entry } from './entry.ts';

/** The maximum number of entries. */
const MAX_ENTRIES = 300;
/** The time within which messages from one person are grouped, in milliseconds. */
const GROUP_MS = 120_000;
/** How far a reader can scroll up, in pixels, with the list still following the latest entry. */
const NEAR_END = 80;

const list = byId('log', HTMLOListElement);
const latest = byId('latest', HTMLButtonElement);
/** The entries, in display order. */
let entries: Entry[] = [];
/** Whether the reader follows the end of the log; must be read before the log changes. */
let isFollowing = true;

latest.addEventListener('click', () => {
	toEnd();
	list.focus();
});
list.addEventListener('scroll', () => {
	isFollowing = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
	if (isFollowing) latest.hidden = true;
});
// An on-screen keyboard or a smaller window must not hide the end of the log.
new ResizeObserver(() => {
	if (isFollowing) toEnd();
}).observe(list);

/** Inserts an entry according to its time. The newest entry is at the end. */
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

/** Updates an entry whose time or appearance has changed. */
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

/** Returns the time of the newest entry whose time is known. */
export function newestTime(): number {
	return entries.findLast(({ at }) => at < Infinity)?.at ?? -Infinity;
}

export function clearLog(): void {
	entries = [];
	isFollowing = true;
	latest.hidden = true;
	list.replaceChildren();
}

/** Marks messages that continue a group, so that the name is shown once per group. */
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
