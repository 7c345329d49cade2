import type { RecordingLogger } from '@orijs/testkit';

import { type LogLevel, throttleOf } from '../support/log-throttle.ts';

/** Returns how many entries were logged at a level, including those that are combined in one line. */
export function countOf(log: RecordingLogger, level: LogLevel): number {
	throttleOf(log).flush();
	return log.lines
		.filter((line) => line.level === level)
		.reduce((sum, { details }) => sum + Number(details?.['count'] ?? 1), 0);
}
