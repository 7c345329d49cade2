import { make } from '@orijs/examples-shared/element';

const characters = new Intl.Segmenter();

/** Returns a hue for a name. Multiplying by the golden angle keeps the hues of different names apart. */
export function hueOf(name: string): number {
	let hash = 0;
	for (const character of name) hash = (hash * 31 + (character.codePointAt(0) ?? 0)) % 65_521;
	return Math.round(hash * 137.508) % 360;
}

/** Returns up to two initials of a name. */
export function initialsOf(name: string): string {
	const words = name.split(/[\s._-]+/).filter((word) => word !== '');
	return words
		.slice(0, 2)
		.map((word) => [...characters.segment(word)][0]?.segment)
		.join('')
		.toUpperCase();
}

export function avatar(name: string): HTMLElement {
	const element = make('span', 'avatar');
	element.ariaHidden = 'true';
	wear(element, name);
	return element;
}

/** Gives an avatar the colour and the initials of a name. */
export function wear(element: HTMLElement, name: string): void {
	element.textContent = initialsOf(name);
	element.style.setProperty('--hue', String(hueOf(name)));
}

/** Creates a badge with the name of a node. */
export function nodeSign(node: string): HTMLElement {
	const element = make('span', 'node', node);
	element.style.setProperty('--hue', String(hueOf(node)));
	return element;
}
