import { join } from 'node:path';
import { MessageValidationError, SocketMessage } from '@orijs/websocket';
import { type StandardSchemaV1, validateToSend } from '@orijs/websocket/protocol';
import { type TSchema, Type } from 'typebox';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { SampleRuns } from './test-support/sample-runs.ts';
import { Readme } from './test-support/samples.ts';

const runs = new SampleRuns();
let standard: (schema: TSchema) => StandardSchemaV1;
beforeAll(async () => {
	const dir = runs.write({ 'typebox.ts': new Readme('packages/websocket/README.md').file('typebox.ts') });
	({ standard } = (await import(join(dir, 'typebox.ts'))) as { standard: typeof standard });
});
afterAll(() => runs.remove());

it('the adapter in the README makes a TypeBox schema a Standard Schema', () => {
	const Said = SocketMessage.define({
		name: 'said',
		data: standard(Type.Object({ text: Type.String(), to: Type.Array(Type.Number()) })),
	});
	const data = { text: 'hi', to: [1] };
	expect(validateToSend(Said, data)).toEqual(data);
	expect(() => validateToSend(Said, { text: 'hi', to: [1, 'Ada'] })).toThrow(MessageValidationError);
	expect(() => validateToSend(Said, { text: 'hi', to: [1, 'Ada'] })).toThrow('to.1: must be number');
});

it('without it, a TypeBox schema is refused, and the error says what to do', () => {
	expect(() => SocketMessage.define({ name: 'said', data: Type.String() as never })).toThrow(
		'data of said is not a Standard Schema, such as those of zod, valibot and arktype; a TypeBox schema needs an adapter',
	);
});
