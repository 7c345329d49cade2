/** A timestamp at the start of a payload, in nanoseconds, with a fixed number of decimal digits. */
export const stamp = {
	length: 17,
	write(time: number): string {
		return `@${String(time).padStart(stamp.length - 1, '0')}`;
	},
	read(payload: string): number {
		return Number(payload.slice(1, stamp.length));
	},
	/** Returns the offset of the timestamp in a message; -1 if the message has none. */
	find(message: Uint8Array): number {
		return Buffer.from(message)
			.toString('latin1')
			.search(/@\d{16}/);
	},
	/** Like {@link stamp.read}, but reads the bytes at `at`. Returns NaN if there is no timestamp. */
	readBytes(bytes: Uint8Array, at: number): number {
		if (bytes[at] !== AT_SIGN) return NaN;
		let time = 0;
		for (let digit = at + 1; digit < at + stamp.length; digit++) time = time * 10 + ((bytes[digit] ?? NaN) - ZERO);
		return time;
	},
};

const AT_SIGN = 0x40;
const ZERO = 0x30;
