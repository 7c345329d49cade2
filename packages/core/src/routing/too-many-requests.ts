import type { ClientMessage } from '@orijs/websocket/protocol';
import type { AllLimits } from '../limits.ts';
import type { Refusals } from '../refusals.ts';
import type { Session } from '../session/session.ts';
import type { ConnectionHooks } from './connection-hooks.ts';
import type { MessageEvents } from './message-events.ts';
import { sendRefusal } from './send-refusal.ts';

interface RefusingServices {
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly events: MessageEvents | undefined;
	readonly hooks: ConnectionHooks | undefined;
}

const HOOKS_BEHIND = 'The server is still handling earlier changes of your subscriptions';

/**
 * Refuses a request if too many requests of its client are not answered yet, or its hooks are behind. Returns whether
 * it was refused.
 */
export function refuseIfTooMany(
	session: Session,
	message: ClientMessage,
	{ limits, refusals, events, hooks }: RefusingServices,
): boolean {
	const { pendingRequests } = limits;
	const isBehind = hooks?.isBehind(session) === true;
	if (session.pendingAnswers < pendingRequests && !isBehind) return false;
	refusals.add('requests', { socketId: session.socketId });
	const text = isBehind ? HOOKS_BEHIND : `Limit of ${pendingRequests} pending requests reached`;
	sendRefusal(session, message, 'too_many_requests', text);
	events?.refused(session, message, 'too_many_requests');
	return true;
}
