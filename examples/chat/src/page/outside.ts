import { make } from '@orijs/examples-shared/element';
import { noticeEntry } from './entry.ts';
import { addEntry } from './log.ts';

let button: HTMLButtonElement | undefined;

/** Whether the visitor was removed from the room that the page shows. They come back only when they want to. */
export function isOutside(): boolean {
	return button !== undefined;
}

/** Tells the visitor why they are out of the room, and offers to come back. */
export function nowOutside(why: string, comeBack: () => void): void {
	nowInside();
	button = make('button', 'retry', 'Come back');
	button.type = 'button';
	button.addEventListener('click', comeBack);
	addEntry(noticeEntry(Date.now(), `${why}. `, button));
}

export function nowInside(): void {
	button?.remove();
	button = undefined;
}
