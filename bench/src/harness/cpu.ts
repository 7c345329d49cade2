import { readdirSync, readFileSync } from 'node:fs';

/** Returns the CPU time that the live threads of a process have used so far, in nanoseconds. */
export function cpuTime(pid: number): number {
	let sum = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		try {
			// The fields are time running, time waiting and timeslices; see Documentation/scheduler/sched-stats.rst in
			// Linux.
			sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
		} catch {
			// The thread has ended since the directory was read.
		}
	}
	return sum;
}

/**
 * Starts measuring. The returned function returns the CPU time that each process has used since then, in nanoseconds.
 */
export function cpuMeter(pids: Readonly<Record<string, number>>): () => Record<string, number> {
	const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuTime(pid)] as const);
	return () => Object.fromEntries(before.map(([name, pid, start]) => [name, cpuTime(pid) - start]));
}
