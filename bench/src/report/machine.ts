import { execFileSync } from 'node:child_process';
import { cpus, release, totalmem, type } from 'node:os';
import type { Machine } from './results.ts';

export function machine(): Machine {
	return {
		cpu: cpus()[0]?.model ?? 'unknown',
		cores: cpus().length,
		memoryGiB: Math.round(totalmem() / 2 ** 30),
		os: `${type()} ${release().split('-', 1)[0]}`,
		bun: Bun.version,
		node: versionOf('node', '--version'),
		redis: versionOf('redis-server', '--version'),
	};
}

function versionOf(command: string, argument: string): string {
	const text = execFileSync(command, [argument], { encoding: 'utf8' });
	return /\d+\.\d+\.\d+/.exec(text)?.[0] ?? text.trim();
}
