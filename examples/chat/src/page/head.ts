import { byId } from '@orijs/examples-shared/element';

const title = byId('title', HTMLElement);

export function showRoom(room: string): void {
	title.textContent = room;
	document.title = `#${room} · OriJS chat`;
}
