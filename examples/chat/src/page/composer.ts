import { MAX_TEXT_LENGTH } from '../protocol.ts';
import { byId } from './element.ts';

const form = byId('composer', HTMLFormElement);
const input = byId('text', HTMLInputElement);
const problem = byId('problem', HTMLElement);

/** Hands on what the visitor writes. `say` returns whether it took it; otherwise it stays where it is. */
export function startComposer(say: (text: string) => boolean): void {
	input.maxLength = MAX_TEXT_LENGTH;
	input.addEventListener('input', () => showProblem(''));
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		const text = input.value.trim();
		if (text !== '' && say(text)) input.value = '';
		input.focus();
	});
}

/** Not on a phone, where it would bring up the keyboard. */
export function focusComposer(): void {
	if (matchMedia('(hover: hover)').matches) input.focus();
}

/** A sentence above the composer, where there is always room for it; an empty one takes it away. */
export function showProblem(sentence: string): void {
	problem.textContent = sentence;
}
