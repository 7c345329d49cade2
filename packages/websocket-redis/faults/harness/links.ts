import { hasSent } from '@orijs/testkit';

/** A node's connections to Redis, told apart by what the node sent over them. */
export const subscriberLinks: ReturnType<typeof hasSent> = hasSent('SUBSCRIBE', 'SSUBSCRIBE');

export const publisherLinks: ReturnType<typeof hasSent> = (link) =>
	hasSent('PUBLISH', 'SPUBLISH')(link) && !subscriberLinks(link);

/** A fault that hit no link, or more than one, is not the fault that was meant. */
export function exactlyOne(links: number): void {
	if (links !== 1) throw new Error(`the fault hit ${links} links instead of one`);
}
