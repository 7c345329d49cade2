import type { Exposure } from '../ledger/run.ts';
import { type Stage, topicsOfPublisher } from './stage.ts';

type ExposureOf = (node: string, topic: string) => Exposure;

/** The subscriptions of every node were interrupted. */
export const everyNode: ExposureOf = () => 'interrupted';

/** The subscriptions of this node were interrupted; nothing else happened. */
export function onlyNode(name: string): ExposureOf {
	return (node) => (node === name ? 'interrupted' : 'untouched');
}

/** This node could not publish: others may have missed something on the topics it publishes on, and on no others. */
export function publishesOf(name: string, stage: Stage): ExposureOf {
	const topics = new Set([...topicsOfPublisher(stage, name), '*']);
	return (node, topic) => (node !== name && topics.has(topic) ? 'possible' : 'untouched');
}
