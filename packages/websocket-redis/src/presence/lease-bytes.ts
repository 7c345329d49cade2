import type { PresenceLease } from '@orijs/websocket';

const NODE_BYTES = 16;

/** Encodes the id of a node in 16 bytes. */
export function encodeNode(nodeId: string): Buffer {
	return Buffer.from(nodeId.replaceAll('-', ''), 'hex');
}

export function readNode(bytes: Buffer, offset: number): string {
	const hex = bytes.toString('hex', offset, offset + NODE_BYTES);
	return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** Encodes a lease as its node and generation, as the scripts of leases do. */
export function encodeLease({ nodeId, generation }: PresenceLease): Buffer {
	const bytes = Buffer.alloc(NODE_BYTES + 8);
	encodeNode(nodeId).copy(bytes);
	bytes.writeDoubleBE(generation, NODE_BYTES);
	return bytes;
}

export function readLease(bytes: Buffer, offset = 0): PresenceLease {
	return { nodeId: readNode(bytes, offset), generation: bytes.readDoubleBE(offset + NODE_BYTES) };
}

/** Encodes what the index of a node's topics holds for a topic: the generation that registered it, and a number. */
export function encodeRegistration(generation: number, number: number): Buffer {
	const bytes = Buffer.alloc(14);
	bytes.writeDoubleBE(generation);
	bytes.writeUIntBE(number, 8, 6);
	return bytes;
}
