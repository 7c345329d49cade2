import type { Scenario } from '../stage.ts';
import { answering } from './answering.ts';
import { comingBack } from './coming-back.ts';
import { connecting } from './connecting.ts';
import { credentials } from './credentials.ts';
import { endings } from './endings.ts';
import { failingListeners } from './failing-listeners.ts';
import { gaps } from './gaps.ts';
import { givingUp } from './giving-up.ts';
import { history } from './history.ts';
import { leaving } from './leaving.ts';
import { listening } from './listening.ts';
import { oddFrames } from './odd-frames.ts';
import { queueing } from './queueing.ts';
import { requesting } from './requesting.ts';
import { resubscribing } from './resubscribing.ts';
import { sending } from './sending.ts';
import { subscribing } from './subscribing.ts';

/** What holds wherever the client runs. Safe for browsers: what is the server's is on the stage. */
export const scenarios: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
	connecting,
	credentials,
	endings,
	'coming back': comingBack,
	listening,
	'listeners that fail': failingListeners,
	sending,
	queueing,
	requesting,
	'requests that are given up': givingUp,
	answering,
	subscribing,
	leaving,
	resubscribing,
	gaps,
	history,
	'odd frames': oddFrames,
};
