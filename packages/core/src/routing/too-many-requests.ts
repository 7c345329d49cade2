import type { ClientMessage } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import type { MessageEvents } from './message-events.ts';
import { sendRefusal } from './send-refusal.ts';

interface RefusingServices {
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly events: MessageEvents | undefined;
}

/** Refuses a request if too many requests of its client are not answered yet. Returns whether it was refused. */
export function refuseIfTooMany(
	session: Session,
	message: ClientMessage,
	{ limits, refusals, events }: RefusingServices,
): boolean {
	const { pendingRequests } = limits;
	if (session.pendingAnswers < pendingRequests) return false;
	refusals.add('requests', { socketId: session.socketId });
	sendRefusal(session, message, 'too_many_requests', `Limit of ${pendingRequests} pending requests reached`);
	events?.refused(session, message, 'too_many_requests');
	return true;
}
