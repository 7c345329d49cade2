import { Restart } from '../messages.ts';
import { client } from './client.ts';
import { showProblem } from './composer.ts';
import { byId } from '@orijs/examples-shared/element';
import { reasonOf } from './reason.ts';
import { currentNode } from './room.ts';

const button = byId('restart', HTMLButtonElement);

/** The button that restarts the node one is connected to. */
export function startRestart(): void {
	client.onStateChange((state) => {
		button.disabled = state !== 'ready';
	});
	button.addEventListener('click', () => {
		const id = currentNode();
		if (id === undefined) return;
		client.request(Restart, { id }).catch((error: unknown) => {
			// That the connection is lost is what it is about.
			if (client.state === 'ready') showProblem(`${reasonOf(error)}.`);
		});
	});
}
