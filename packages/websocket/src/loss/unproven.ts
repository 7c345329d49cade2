import { DIGEST_EVERY_MS } from './beat-timing.ts';
import { type Peer, type Proof, prove } from './peer.ts';

/** How long a digest is waited for that proves the beats before those that have arrived, in milliseconds. */
const WAIT_MS = 2 * DIGEST_EVERY_MS;

/**
 * Records a beat if it is not known whether the ones before it have been missed: a node's beats were collected, so that
 * they did not arrive, but now arrive again. Returns false if it is known.
 *
 * @param sharedFrom see {@link Beat.sharedFrom}
 */
export function addUnproven(peer: Peer, proof: Proof, sharedFrom: number, now: number): boolean {
	const { number } = proof;
	const { unproven } = peer;
	if (proof.first <= peer.number + 1 || peer.isHearsay) return false;
	if (unproven !== undefined && number <= unproven.last.number + 1) {
		peer.unproven = { ...unproven, last: proof };
		return true;
	}
	if (sharedFrom <= (unproven?.last.number ?? peer.number) + 1) return false;
	peer.unproven = { first: number, since: unproven?.since ?? now, last: proof };
	return true;
}

/** Called when a digest has proven more beats: those that arrived may follow them. */
export function settleUnproven(peer: Peer, unproven: Peer['unproven']): void {
	if (unproven === undefined || unproven.last.number <= peer.number) return;
	if (unproven.first <= peer.number + 1) prove(peer, unproven.last);
	else peer.unproven = unproven;
}

/** Returns the last unproven beat of a node if no digest has proven it in time; otherwise undefined. */
export function unprovenTooLong({ unproven }: Peer, now: number): Proof | undefined {
	return unproven !== undefined && now - unproven.since > WAIT_MS ? unproven.last : undefined;
}
