import type { Scenario } from '../test-server.ts';
import { abandonedRequests } from './abandoned-requests.ts';
import { carriedValues } from './carried-values.ts';
import { chosenTopicsInOrder } from './chosen-topics-in-order.ts';
import { chosenTopics } from './chosen-topics.ts';
import { connecting } from './connecting.ts';
import { connectionEnds } from './connection-ends.ts';
import { credentials } from './credentials.ts';
import { diagnosing } from './diagnosing.ts';
import { disconnected } from './disconnected.ts';
import { failingListeners } from './failing-listeners.ts';
import { gaps } from './gaps.ts';
import { givingUpSubscriptions } from './giving-up-subscriptions.ts';
import { historyPages } from './history-pages.ts';
import { history } from './history.ts';
import { incomingRequests } from './incoming-requests.ts';
import { listening } from './listening.ts';
import { looping } from './looping.ts';
import { oversized } from './oversized.ts';
import { pacing } from './pacing.ts';
import { pinging } from './pinging.ts';
import { presence } from './presence.ts';
import { presenceCounts } from './presence-counts.ts';
import { presenceFrames } from './presence-frames.ts';
import { presenceInfo } from './presence-info.ts';
import { presenceUpdates } from './presence-updates.ts';
import { queueing } from './queueing.ts';
import { reconnecting } from './reconnecting.ts';
import { renewing } from './renewing.ts';
import { requesting } from './requesting.ts';
import { resubscribing } from './resubscribing.ts';
import { rewinding } from './rewinding.ts';
import { sending } from './sending.ts';
import { stateOrder } from './state-order.ts';
import { subscribing } from './subscribing.ts';
import { unexpectedFrames } from './unexpected-frames.ts';
import { uncheckedMessages } from './unchecked-messages.ts';
import { unsubscribing } from './unsubscribing.ts';

/**
 * Tests of the client's behaviour that run on every platform, including browsers: servers are reached only through
 * `TestServer`.
 */
export const scenarios: Readonly<Record<string, Readonly<Record<string, Scenario>>>> = {
	connecting,
	'state order': stateOrder,
	credentials,
	renewing,
	diagnosing,
	'connection ends': connectionEnds,
	disconnected,
	reconnecting,
	pinging,
	listening,
	'failing listeners': failingListeners,
	sending,
	presence,
	'presence, by frames': presenceFrames,
	'presence, only counted': presenceCounts,
	'presence, own info': presenceUpdates,
	'presence, typed info': presenceInfo,
	queueing,
	pacing,
	oversized,
	requesting,
	'carried values': carriedValues,
	'unchecked messages': uncheckedMessages,
	'abandoned requests': abandonedRequests,
	'incoming requests': incomingRequests,
	subscribing,
	unsubscribing,
	'giving up subscriptions': givingUpSubscriptions,
	'chosen topics': chosenTopics,
	'chosen topics in order': chosenTopicsInOrder,
	looping,
	resubscribing,
	gaps,
	history,
	'history pages': historyPages,
	rewinding,
	'unexpected frames': unexpectedFrames,
};
