import { hasSent } from '@orijs/testkit';

/** Selects the connections over which a node has subscribed. */
export const subscriberConnections: ReturnType<typeof hasSent> = hasSent('SUBSCRIBE', 'SSUBSCRIBE');

/** Selects the connections over which a node has published, or its beats, by a script. */
export const publisherConnections: ReturnType<typeof hasSent> = (link) =>
	hasSent('PUBLISH', 'SPUBLISH', 'EVALSHA', 'EVAL')(link) && !subscriberConnections(link);

/** Checks how many connections a fault affected. @throws if there was not exactly one */
export function exactlyOne(connections: number): void {
	if (connections !== 1) throw new Error(`the fault affected ${connections} connections instead of one`);
}
