import { expect, it } from 'vitest';
import { Application, ApplicationError } from '../index.ts';

it('an option that there is not is refused, with those there are', () => {
	expect(() => new Application({ grace: 1 } as object)).toThrow(
		new ApplicationError('there is no option grace; options are logger, signals, graceMs'),
	);
});
