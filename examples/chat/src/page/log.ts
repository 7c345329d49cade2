import { byId } from '@orijs/examples-shared/element';
import type { Entry } from './entry.ts';

/** How many entries are kept. */
const MAX_ENTRIES = 300;
/** Messages of one person that are no further apart than this look like one, in milliseconds. */
const GROUP_MS = 120_000;
/** Whoever has scrolled up less than this is still reading the end, in pixels. */
const NEAR_END = 80;

const list = byId('log', HTMLOListElement);
const latest = byId('latest', HTMLButtonElement);
/** In the order in which they stand there. */
let entries: Entry[] = [];
/** Whether the reader is at the end; asked before something changes there. */
let isFollowing = true;

latest.addEventListener('click', () => {
	toEnd();
	list.focus();
});
list.addEventListener('scroll', () => {
	isFollowing = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR_END;
	if (isFollowing) latest.hidden = true;
});
// A keyboard that slides in, or a window made smaller, must not hide the end.
new ResizeObserver(() => {
	if (isFollowing) toEnd();
}).observe(list);

/** Puts an entry where it belongs by its time; the newest are at the end. */
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

/** An entry's time is another one now, or it looks different. */
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

/** Of the newest entry whose time is known; there may be none. */
export function newestTime(): number {
	return entries.findLast(({ at }) => at < Infinity)?.at ?? -Infinity;
}

export function clearLog(): void {
	entries = [];
	isFollowing = true;
	latest.hidden = true;
	list.replaceChildren();
}

/** What one person says in one go shows their name once. */
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
