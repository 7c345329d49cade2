import type { Attack } from '../attack.ts';
import { endlessHandshakes, endlessMessages, pendingUpgrades } from './endless-requests.ts';
import { messageFlood, pingFlood, pongFlood, typedFlood } from './floods.ts';
import { historyPages } from './history-pages.ts';
import { hostileJson } from './hostile-json.ts';
import { leavingClients, leavingRawClients } from './leaving-clients.ts';
import { failingHandlers, hostileNames, refusedCalls } from './refused-calls.ts';
import { slowReaders } from './slow-readers.ts';
import { topicNames, topicNamesRedis } from './topic-names.ts';
import { unansweredQuestions } from './unanswered-questions.ts';
import { vanishedClients } from './vanished-clients.ts';
import { waitingLists, waitingObjects, waitingText } from './waiting-messages.ts';

export const ATTACKS: readonly Attack[] = [
	vanishedClients,
	waitingText,
	waitingObjects,
	waitingLists,
	unansweredQuestions,
	topicNames,
	topicNamesRedis,
	leavingClients,
	leavingRawClients,
	refusedCalls,
	failingHandlers,
	hostileNames,
	messageFlood,
	typedFlood,
	pingFlood,
	pongFlood,
	hostileJson,
	endlessHandshakes,
	pendingUpgrades,
	endlessMessages,
	slowReaders,
	historyPages,
];
