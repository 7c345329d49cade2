import { Rename } from '../messages.ts';
import { startBanned } from './banned.ts';
import { client } from './client.ts';
import { focusComposer, showProblem, startComposer } from './composer.ts';
import { startConnectionState } from './connection-state.ts';
import { currentName, startName } from './name.ts';
import { doneTyping, nowTyping } from './presence.ts';
import { reasonOf } from './reason.ts';
import { startRestart } from './restart.ts';
import { goTo, whoYouAre } from './room.ts';
import { currentRoom, startRooms } from './rooms.ts';
import { say } from './saying.ts';

startConnectionState();
startBanned();
startRestart();
startRooms(() => {
	goTo(currentRoom());
	focusComposer();
});
startComposer({
	say(text) {
		say(text, currentRoom(), { id: whoYouAre().id, name: currentName() ?? '' });
		doneTyping();
	},
	typing: nowTyping,
});
client.onStateChange((state) => {
	if (state === 'ready') goTo(currentRoom());
});
goTo(currentRoom());
startName((name) => {
	focusComposer();
	// Without a connection there is nothing to rename: the next connection sends the new name.
	if (client.state === 'ready') {
		client.request(Rename, { name }).then(
			() => goTo(currentRoom()),
			(error: unknown) => showProblem(`${reasonOf(error)}.`),
		);
	} else client.connect().catch(() => {});
});
