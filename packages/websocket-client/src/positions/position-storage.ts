import type { Position } from '@orijs/websocket/protocol';

/**
 * Where positions outlive the page: `localStorage`, `sessionStorage`, or any other synchronous storage with these
 * methods.
 */
export interface PositionStorage {
	/** The number of keys. */
	readonly length: number;
	/** Returns the name of a key, by its index; null if there is no such key. */
	key(index: number): string | null;
	/** Returns the value of a key; null if there is no such key. */
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
	removeItem(key: string): void;
}

/** What a client can resume from: a storage, or the `positions` of an earlier client. */
export type GivenPositions = PositionStorage | Readonly<Record<string, Position>>;
