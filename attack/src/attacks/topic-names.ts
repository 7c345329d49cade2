import type { Attack } from '../attack.ts';
import { message, sendSteadily } from '../flood.ts';

const TOPICS_PER_MESSAGE = 100;

/** Subscribes to new topics again and again, and unsubscribes from them. */
async function nameTopics(target: Parameters<Attack['run']>[0], clients: number, seconds: number): Promise<void> {
	const sockets = await target.openMany(clients);
	let n = 0;
	let topics: string[] = [];
	await sendSteadily(target, sockets, {
		bytes: () => {
			if (topics.length > 0) {
				const bytes = message('@unsubscribe', { topics }, 'u');
				topics = [];
				return bytes;
			}
			topics = Array.from({ length: TOPICS_PER_MESSAGE }, () => `log:${++n}`);
			return message('@subscribe', { topics }, 's');
		},
		// Ten topics count as one message, and a socket may send a hundred a second.
		perSecond: 8,
		seconds,
	});
	target.note(`${n} names`);
}

export const topicNames: Attack = {
	name: 'topic-names',
	title: 'clients that keep subscribing to new topics with history, and leave them',
	bounds: { peakMib: 96, keptMib: 24 },
	run: (target, size) => nameTopics(target, 20, size(15, 5)),
};

export const topicNamesRedis: Attack = {
	...topicNames,
	name: 'topic-names-redis',
	title: `${topicNames.title}; on Redis`,
	redis: true,
	// The one in which topics that have begun are counted.
	bounds: { ...topicNames.bounds, redisKeys: 1 },
};
