import type { Impact } from '../counting/run.ts';
import { type Scenario, topicsOfPublisher } from './scenario.ts';

type ImpactOf = (node: string, topic: string) => Impact;

/** The subscriptions of every node were interrupted. */
export const everyNode: ImpactOf = () => 'interrupted';

/** The subscriptions of one node were interrupted; nothing else happened. */
export function onlyNode(name: string): ImpactOf {
	return (node) => (node === name ? 'interrupted' : 'unaffected');
}

/**
 * One node could not publish: other nodes may have missed messages, but only on topics on which that node publishes.
 */
export function publishesOf(name: string, scenario: Scenario): ImpactOf {
	const topics = new Set([...topicsOfPublisher(scenario, name), '*']);
	return (node, topic) => (node !== name && topics.has(topic) ? 'possible' : 'unaffected');
}
