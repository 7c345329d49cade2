import type { NodeName } from '../settings.ts';

/** Which way bytes take: between a node and Redis, `toServer` is towards Redis. */
export type Way = 'both' | 'toServer' | 'toClient';

/** What is broken. It is repaired `forMs` later, in milliseconds; without `forMs`, it lasts no time. */
export type Damage =
	/**
	 * `moves`: its clients are led to another node while it is down. `heldMs`: how long nothing it sends reaches Redis
	 * before it is killed, so that what it has accepted is lost.
	 */
	| {
			readonly kind: 'node killed';
			readonly node: NodeName;
			readonly forMs: number;
			readonly moves: boolean;
			readonly heldMs: number;
	  }
	| { readonly kind: 'node stopped'; readonly node: NodeName; readonly forMs: number; readonly moves: boolean }
	| { readonly kind: 'node frozen'; readonly node: NodeName; readonly forMs: number }
	| { readonly kind: 'node stalled'; readonly node: NodeName; readonly forMs: number }
	| { readonly kind: 'Redis killed'; readonly forMs: number }
	| { readonly kind: 'Redis frozen'; readonly forMs: number }
	| { readonly kind: 'Redis flushed' }
	| { readonly kind: 'subscribers killed' }
	| { readonly kind: 'connections killed' }
	/** Connections are cut and refused. */
	| { readonly kind: 'link cut'; readonly node: NodeName; readonly forMs: number }
	/** Nothing passes, new connections included. */
	| { readonly kind: 'link frozen'; readonly node: NodeName; readonly forMs: number; readonly way: Way }
	/** Nothing passes on the connections there are; new ones work. */
	| { readonly kind: 'link half-open'; readonly node: NodeName; readonly forMs: number; readonly way: Way }
	| {
			readonly kind: 'link delayed';
			readonly node: NodeName;
			readonly forMs: number;
			readonly way: Way;
			readonly ms: number;
	  }
	/** New connections lead to another server: a replica that was promoted without the others, or an empty one. */
	| {
			readonly kind: 'link led elsewhere';
			readonly node: NodeName;
			readonly forMs: number;
			readonly to: 'copy' | 'empty';
	  }
	/** The node closes the connections of this share of its clients. */
	| { readonly kind: 'clients kicked'; readonly node: NodeName; readonly share: number }
	| { readonly kind: 'clients cut'; readonly node: NodeName; readonly share: number }
	| { readonly kind: 'clients frozen'; readonly node: NodeName; readonly share: number; readonly forMs: number }
	/** A clock is set, to this far from the true time. It stays so. */
	| { readonly kind: 'clock set'; readonly of: ClockOwner; readonly offsetMs: number };

export type ClockOwner = NodeName | 'redis' | 'clients';

/** Something that breaks, and when, in milliseconds since the start. */
export type Fault = Damage & { readonly at: number };

export function durationOf(damage: Damage): number {
	return ('forMs' in damage ? damage.forMs : 0) + ('heldMs' in damage ? damage.heldMs : 0);
}

/** What the fault breaks. Faults of one target must not overlap, as the repair of one would end the other. */
export function targetsOf(damage: Damage): string[] {
	return damage.kind === 'node killed' ? [targetOf(damage), `link ${damage.node}`] : [targetOf(damage)];
}

function targetOf(damage: Damage): string {
	switch (damage.kind) {
		case 'Redis killed':
		case 'Redis frozen':
		case 'Redis flushed':
		case 'subscribers killed':
		case 'connections killed':
			return 'redis';
		case 'node killed':
		case 'node stopped':
		case 'node frozen':
		case 'node stalled':
			return `node ${damage.node}`;
		case 'link cut':
		case 'link frozen':
		case 'link half-open':
		case 'link delayed':
		case 'link led elsewhere':
			return `link ${damage.node}`;
		case 'clients kicked':
		case 'clients cut':
		case 'clients frozen':
			return `clients ${damage.node}`;
		case 'clock set':
			return `clock ${damage.of}`;
	}
}

/** Describes a fault for people. */
export function describeDamage(damage: Damage): string {
	const { kind, ...details } = damage;
	const parts = Object.entries(details).flatMap(([name, value]) => {
		if (name === 'at') return [];
		if (name === 'forMs') return [`for ${seconds(Number(value))}`];
		if (name === 'ms') return [`by ${value} ms`];
		if (name === 'offsetMs') return [`to ${Number(value) < 0 ? '-' : '+'}${seconds(Math.abs(Number(value)))}`];
		if (name === 'share') return [`${Math.round(Number(value) * 100)}%`];
		if (name === 'to') return [value === 'copy' ? 'to a promoted replica' : 'to an empty server'];
		if (name === 'heldMs') return Number(value) > 0 ? [`its link frozen ${value} ms before`] : [];
		if (name === 'moves') return value === true ? ['clients move'] : [];
		if (name === 'of') return [value === 'redis' ? 'of Redis' : `of ${value}`];
		return [String(value)];
	});
	return [kind, ...parts].join(', ');
}

function seconds(ms: number): string {
	return `${(ms / 1_000).toFixed(1)} s`;
}
