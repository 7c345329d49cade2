import { readdirSync, readFileSync } from 'node:fs';

/** The processor time that a process has used so far, in nanoseconds, by all of its threads that still run. */
export function cpuTime(pid: number): number {
	let sum = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		try {
			// Time on the processor, time waiting for it, number of turns: Linux, Documentation/scheduler/sched-stats.rst
			sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
		} catch {
			// The thread has ended between the two looks.
		}
	}
	return sum;
}

/** Reads the times of several processes, to be called again at the end: gives what each used in between, in nanoseconds. */
export function cpuMeter(pids: Readonly<Record<string, number>>): () => Record<string, number> {
	const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuTime(pid)] as const);
	return () => Object.fromEntries(before.map(([name, pid, start]) => [name, cpuTime(pid) - start]));
}
