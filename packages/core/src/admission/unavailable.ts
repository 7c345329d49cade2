import type { Refusals } from '../refusals.ts';
import { isUpgrade, plainAnswer } from './plain-request.ts';

const TEXT = { notStarted: 'The endpoint has not started', stopping: 'The endpoint has stopped' } as const;

/** Answers a request to an endpoint that is not running. */
export function unavailable(req: Request, refusals: Refusals, why: keyof typeof TEXT): Response {
	if (!isUpgrade(req)) return plainAnswer(why);
	refusals.add(why, {});
	return new Response(TEXT[why], { status: 503, headers: { 'Retry-After': '1' } });
}
