import type { Presence } from '../wire/frame.ts';

/** What a node's presence needs to hear from the bus. */
export interface PresenceLink {
	/** Checks that the backend can keep presence. @throws an error saying what it lacks */
	prepare(): Promise<void>;
	/** Called once the bus has started. */
	start(): Promise<void>;
	/** Called before the bus stops. Never rejects. */
	stop(): Promise<void>;
	/** Called when a frame has arrived that tells of a change. @param isOwn whether this node has caused it */
	received(channel: string, frame: Presence, isOwn: boolean): void;
	/** Called when frames may have been missed on some channels. */
	missed(isAffected: (channel: string) => boolean): void;
	/** Called when the backend has become available or unavailable. */
	statusChanged(isReady: boolean): void;
}
