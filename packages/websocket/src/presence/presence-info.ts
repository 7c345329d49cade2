import { show } from '../support/show.ts';
import { toError } from '../support/promises.ts';
import { InvalidPresenceInfoError } from './errors.ts';
import type { PresenceInfo } from './presence-contract.ts';

/**
 * Encodes a member's info. Returns undefined if it has no properties.
 *
 * @param mostBytes the largest JSON, in bytes of UTF-8
 * @throws {InvalidPresenceInfoError} it is no JSON object, or too large
 */
export function encodeInfo(info: PresenceInfo, mostBytes: number): string | undefined {
	const json = jsonOf(info);
	if (json === '{}') return undefined;
	// A string has at most three bytes for each of its characters.
	const bytes = json.length * 3 <= mostBytes ? 0 : Buffer.byteLength(json);
	if (bytes <= mostBytes) return json;
	throw new InvalidPresenceInfoError(
		`The info of a member must have at most ${mostBytes} bytes as JSON, not ${bytes}`,
		'too_large',
	);
}

function jsonOf(info: PresenceInfo): string {
	if (typeof info !== 'object' || info === null || Array.isArray(info)) throw notAnObject(info);
	let json: unknown;
	try {
		json = JSON.stringify(info);
	} catch (thrown) {
		throw new InvalidPresenceInfoError(`The info of a member must be JSON: ${toError(thrown).message}`);
	}
	// An object with a method `toJSON` can become anything.
	if (typeof json !== 'string' || !json.startsWith('{')) throw notAnObject(info);
	return json;
}

function notAnObject(info: unknown): InvalidPresenceInfoError {
	return new InvalidPresenceInfoError(
		`The info of a member must be a JSON object such as { "name": "Ann" }, not ${show(info)}`,
	);
}

/** Returns what an object says of itself to JSON (`toJSON`), as the objects of databases do to leave out secrets. */
export function plainInfo(info: PresenceInfo): PresenceInfo {
	const toJSON = info['toJSON'];
	return typeof toJSON === 'function' ? (toJSON.call(info, '') as PresenceInfo) : info;
}

/** Returns all properties, of which the later ones win; undefined if all parts are. */
export function merged(...parts: readonly (PresenceInfo | undefined)[]): PresenceInfo | undefined {
	let all: PresenceInfo | undefined;
	for (const part of parts) if (part !== undefined) all = all === undefined ? part : { ...all, ...part };
	return all;
}

/** Returns `info` with the properties of `change`, without those that it sets to undefined. */
export function changed(info: PresenceInfo | undefined, change: PresenceInfo): PresenceInfo {
	const all: Record<string, unknown> = { ...info, ...change };
	for (const name of Object.keys(all)) if (all[name] === undefined) delete all[name];
	return all;
}
