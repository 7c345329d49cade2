import { copyOfInfo, isPlain } from '../protocol/presence-info.ts';
import { show } from '../support/show.ts';
import { InvalidPresenceInfoError } from './errors.ts';
import type { PresenceInfo } from './presence-contract.ts';

/**
 * Returns a copy of what was given as a member's info.
 *
 * @throws {InvalidPresenceInfoError} it is no plain object, or has what JSON does not carry as it is
 */
export function copyInfo(given: PresenceInfo): PresenceInfo {
	if (typeof given !== 'object' || given === null || !isPlain(given))
		throw new InvalidPresenceInfoError(
			`The info of a member must be a JSON object such as { "name": "Ann" }, not ${show(given)}`,
		);
	return copyOfInfo(given, (reason) => new InvalidPresenceInfoError(`The info of a member must be JSON: ${reason}`));
}

/**
 * Encodes a copy of a member's info. Returns undefined if it has no properties.
 *
 * @param mostBytes the largest JSON, in bytes of UTF-8
 * @throws {InvalidPresenceInfoError} it is too large
 */
export function encodeInfo(info: PresenceInfo, mostBytes: number): string | undefined {
	const json = JSON.stringify(info);
	if (json === '{}') return undefined;
	// A string has at most three bytes for each of its characters.
	const bytes = json.length * 3 <= mostBytes ? 0 : Buffer.byteLength(json);
	if (bytes <= mostBytes) return json;
	throw new InvalidPresenceInfoError(
		`The info of a member must have at most ${mostBytes} bytes as JSON, not ${bytes}`,
		'too_large',
	);
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
