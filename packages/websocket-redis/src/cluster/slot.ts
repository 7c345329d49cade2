/** The number of hash slots of a Redis Cluster. */
export const SLOTS = 16_384;

const TABLE = Uint16Array.from({ length: 256 }, (_, byte) => {
	let crc = byte << 8;
	for (let bit = 0; bit < 8; bit++) crc = crc & 0x8000 ? (crc << 1) ^ 0x1021 : crc << 1;
	return crc;
});

/**
 * Returns the hash slot of a channel's name on Redis, as defined by the Redis Cluster specification: its CRC-16
 * (XMODEM) modulo 16,384. If the name contains braces, only the part in the first pair counts. The names are ASCII.
 */
export function slotOf(redisChannel: string): number {
	let from = 0;
	let to = redisChannel.length;
	const open = redisChannel.indexOf('{');
	if (open !== -1) {
		const close = redisChannel.indexOf('}', open);
		if (close > open + 1) [from, to] = [open + 1, close];
	}
	let crc = 0;
	for (let i = from; i < to; i++) {
		crc = ((crc << 8) ^ (TABLE[((crc >> 8) ^ redisChannel.charCodeAt(i)) & 0xff] ?? 0)) & 0xffff;
	}
	return crc % SLOTS;
}
