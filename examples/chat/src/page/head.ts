import { byId } from './element.ts';

const title = byId('title', HTMLElement);

export function showRoom(room: string): void {
	title.textContent = room;
	document.title = `#${room} · OriJS chat`;
}
