import { readdirSync, readFileSync } from 'node:fs';

/** Returns the CPU time used so far by the live threads of a process, in nanoseconds. */
export function cpuTime(pid: number): number {
	let sum = 0;
	for (const thread of readdirSync(`/proc/${pid}/task`)) {
		try {
			// Time running, time waiting, timeslices: Linux, Documentation/scheduler/sched-stats.rst
			sum += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'latin1').split(' ')[0]);
		} catch {
			// The thread ended after the directory was read.
		}
	}
	return sum;
}

/** Starts measuring; the returned function gives the CPU time each process has used since, in nanoseconds. */
export function cpuMeter(pids: Readonly<Record<string, number>>): () => Record<string, number> {
	const before = Object.entries(pids).map(([name, pid]) => [name, pid, cpuTime(pid)] as const);
	return () => Object.fromEntries(before.map(([name, pid, start]) => [name, cpuTime(pid) - start]));
}
