import type { Unsubscription, UnsubscribeOptions } from '../provider-contract.ts';

/** Returns why a socket is unsubscribed from a topic, with the defaults. */
export function unsubscriptionOf(topic: string, options: UnsubscribeOptions | undefined): Unsubscription {
	const by = options?.by ?? 'server';
	const {
		code = 'unsubscribed',
		message = `The ${by} has unsubscribed ${by === 'server' ? 'you from' : 'from'} ${topic}`,
	} = options ?? {};
	return { by, code, message };
}
