import { expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';

it('an unknown option is rejected, and the error lists the valid ones', () => {
	expect(() => new Application({ grace: 1 } as object)).toThrow(
		new ApplicationError(
			'there is no option grace; options are logger, signals, graceMs, readinessPath, readinessDelayMs',
		),
	);
});
