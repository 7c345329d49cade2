/**
 * The topics that a client asked for and was allowed, each with the object by which `TopicRights` knows until when;
 * undefined while it is allowed for good. A single such topic, the most common case by far, is kept as it is: a map
 * would take a few hundred bytes more.
 */
export type Grants = string | Map<string, object | undefined> | undefined;

export function hasGrant(grants: Grants, topic: string): boolean {
	return typeof grants === 'string' ? grants === topic : grants?.has(topic) === true;
}

export function grantOf(grants: Grants, topic: string): object | undefined {
	return typeof grants === 'object' ? grants.get(topic) : undefined;
}

/** Returns the grants with one more, or with another in place of an earlier one for the topic. */
export function withGrant(grants: Grants, topic: string, grant: object | undefined): Grants {
	if (typeof grants === 'object') return grants.set(topic, grant);
	if (grant === undefined && (grants === undefined || grants === topic)) return topic;
	return new Map<string, object | undefined>(grants === undefined ? [] : [[grants, undefined]]).set(topic, grant);
}

export function withoutGrant(grants: Grants, topic: string): Grants {
	if (typeof grants === 'string') return grants === topic ? undefined : grants;
	grants?.delete(topic);
	return grants?.size === 0 ? undefined : grants;
}

export function grantedTopics(grants: Grants): readonly string[] {
	if (typeof grants === 'string') return [grants];
	return grants === undefined ? [] : [...grants.keys()];
}
