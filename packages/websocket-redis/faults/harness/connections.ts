import { hasSent } from '@orijs/testkit';

/** Selects a node's connection to Redis by the commands the node has sent over it. */
export const subscriberConnections: ReturnType<typeof hasSent> = hasSent('SUBSCRIBE', 'SSUBSCRIBE');

export const publisherConnections: ReturnType<typeof hasSent> = (link) =>
	hasSent('PUBLISH', 'SPUBLISH')(link) && !subscriberConnections(link);

/** @throws unless the fault affected exactly one connection */
export function exactlyOne(connections: number): void {
	if (connections !== 1) throw new Error(`the fault affected ${connections} connections instead of one`);
}
