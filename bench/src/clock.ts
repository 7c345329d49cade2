/** Reads the machine's monotonic clock, in nanoseconds. All processes share it, so that their times can be compared. */
export const now: () => number = 'Bun' in globalThis ? await bunClock() : () => Number(process.hrtime.bigint());

/** Bun's own clocks start at zero in each process, so this reads the clock of the C library. */
async function bunClock(): Promise<() => number> {
	const { dlopen, FFIType, ptr } = await import('bun:ffi');
	const { symbols } = dlopen('libc.so.6', {
		clock_gettime: { args: [FFIType.i32, FFIType.ptr], returns: FFIType.i32 },
	});
	const CLOCK_MONOTONIC = 1;
	const time = new BigInt64Array(2);
	const pointer = ptr(time);
	return () => {
		symbols.clock_gettime(CLOCK_MONOTONIC, pointer);
		return Number(time[0]) * 1e9 + Number(time[1]);
	};
}
