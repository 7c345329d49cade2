import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFrame } from './read-frame.ts';

const KINDS = ['answer', 'refusal', 'message', 'gap', 'raw'];

describe('readFrame', () => {
	it.each([
		['{"type":"add","correlationId":"1","data":3}', { kind: 'answer', correlationId: '1', data: 3 }],
		['{"type":"add","correlationId":"1"}', { kind: 'answer', correlationId: '1', data: undefined }],
		[
			'{"type":"add","correlationId":"1","error":{"code":"x","message":"y"}}',
			{ kind: 'answer', correlationId: '1', data: undefined, error: { code: 'x', message: 'y' } },
		],
		[
			'{"type":"","error":{"code":"invalid_message","message":"y"}}',
			{ kind: 'refusal', type: '', error: { code: 'invalid_message', message: 'y' } },
		],
		[
			'{"name":"n","data":1,"timestamp":2,"topic":"t"}',
			{ kind: 'message', envelope: { name: 'n', data: 1, timestamp: 2, topic: 't' } },
		],
		[
			'{"type":"@gap","data":{"topic":"t","since":1,"until":2}}',
			{ kind: 'gap', gap: { topic: 't', since: 1, until: 2 } },
		],
	])('recognizes %s', (text, incoming) => {
		expect(readFrame(text)).toEqual(incoming);
	});

	it.each([
		'',
		'text',
		'{',
		'null',
		'5',
		'[]',
		'{}',
		'{"type":5}',
		'{"type":"x"}',
		'{"type":"x","correlationId":5}',
		'{"type":"x","error":"text"}',
		'{"type":"x","error":{"code":5}}',
		'{"name":"n"}',
		'{"name":"n","timestamp":"1"}',
		'{"type":"@gap"}',
		'{"type":"@gap","data":{"topic":"t"}}',
		'{"type":"@gap","data":{"topic":"t","since":"1","until":2}}',
	])('returns any other text as raw: %s', (text) => {
		expect(readFrame(text)).toEqual({ kind: 'raw' });
	});
});

describe('readFrame never throws', () => {
	it('for any text', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
				expect(KINDS).toContain(readFrame(text).kind);
			}),
		);
	});

	it('for any values of the fields', () => {
		const value = fc.oneof(fc.jsonValue(), fc.constantFrom('@gap', '@auth', 'x', 1));
		const frame = fc.record(
			{ type: value, name: value, correlationId: value, data: value, error: value, timestamp: value, topic: value },
			{ requiredKeys: [] },
		);
		fc.assert(
			fc.property(frame, (fields) => {
				expect(KINDS).toContain(readFrame(JSON.stringify(fields)).kind);
			}),
		);
	});
});
