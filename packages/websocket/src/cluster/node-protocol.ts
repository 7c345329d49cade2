import { CLUSTER_VERSION } from '../nodes/node-description.ts';
import { isSocketId, NODE_TEXT_PREFIX } from '../wire/channel-names.ts';

/**
 * What nodes tell each other about actions and requests: texts of the form `#version kind node number content`, where
 * `node` is the sender and `content` is JSON. All versions have this form, so that one of another version can be
 * refused.
 *
 * - `ask`: the receiver answers with one of the following four, and repeats the number
 * - `answer`, `failed`: what an `ask` came to; `failed` has no content
 * - `version`: the receiver does not know the version of an `ask`
 * - `tell`: a message that has no answer
 */
export const NODE_VERSION: number = CLUSTER_VERSION;

export type NodeTextKind = 'ask' | 'answer' | 'failed' | 'version' | 'tell';

export interface NodeText {
	readonly version: number;
	/** A {@link NodeTextKind}, or one of another version. */
	readonly kind: string;
	/** The id of the node that has sent it. */
	readonly from: string;
	/** Identifies an `ask` of one node. */
	readonly number: number;
	readonly content: string;
}

const TEXT = /^#(\d{1,5}) ([a-z]{1,16}) (\S{36}) (\d{1,15})(?: |$)/;

export function encodeNodeText(kind: NodeTextKind, from: string, number: number, content = ''): string {
	return `${NODE_TEXT_PREFIX}${NODE_VERSION} ${kind} ${from} ${number} ${content}`;
}

/** Returns undefined if it has another form. */
export function readNodeText(text: string): NodeText | undefined {
	const [head, version, kind = '', from = '', number] = TEXT.exec(text) ?? [];
	if (head === undefined || !isSocketId(from)) return undefined;
	return { version: Number(version), kind, from, number: Number(number), content: text.slice(head.length) };
}

/** Parses the content of a text. Returns undefined if it is not a JSON object. */
export function readContent(content: string): Readonly<Record<string, unknown>> | undefined {
	try {
		const value: unknown = JSON.parse(content);
		return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
	} catch {
		return undefined;
	}
}
