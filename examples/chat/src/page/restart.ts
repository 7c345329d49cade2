import { Restart } from '../messages.ts';
import { client } from './client.ts';
import { showProblem } from './composer.ts';
import { byId } from '@orijs/examples-shared/element';
import { reasonOf } from './reason.ts';
import { currentNode } from './room.ts';

const button = byId('restart', HTMLButtonElement);

/** Sets up the button that restarts the visitor's node. */
export function startRestart(): void {
	client.onStateChange((state) => {
		button.disabled = state !== 'ready';
	});
	button.addEventListener('click', () => {
		client.request(Restart, { id: currentNode() }).catch((error: unknown) => {
			// The connection is expected to be lost, so this is no problem unless the client is still connected.
			if (client.state === 'ready') showProblem(`${reasonOf(error)}.`);
		});
	});
}
