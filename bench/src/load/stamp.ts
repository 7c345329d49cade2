/** A time at the beginning of a payload: nanoseconds in decimal digits, always as many. */
export const stamp = {
	length: 17,
	write(time: number): string {
		return `@${String(time).padStart(stamp.length - 1, '0')}`;
	},
	read(payload: string): number {
		return Number(payload.slice(1, stamp.length));
	},
	/** Where in a message the stamp begins; -1 if nowhere. */
	find(message: Uint8Array): number {
		return Buffer.from(message)
			.toString('latin1')
			.search(/@\d{16}/);
	},
	/** As {@link stamp.read}, from the bytes at `at`; NaN if there is none. */
	readBytes(bytes: Uint8Array, at: number): number {
		if (bytes[at] !== AT_SIGN) return NaN;
		let time = 0;
		for (let digit = at + 1; digit < at + stamp.length; digit++) time = time * 10 + ((bytes[digit] ?? NaN) - ZERO);
		return time;
	},
};

const AT_SIGN = 0x40;
const ZERO = 0x30;
