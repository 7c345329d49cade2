import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFrame } from './read-frame.ts';

function expectFrame(frame: ReturnType<typeof readFrame>): void {
	if (frame) expect(typeof (frame.name === undefined ? frame.type : frame.name)).toBe('string');
}

describe('readFrame', () => {
	it.each([
		['{"type":"add","correlationId":"1","data":3}', { type: 'add', correlationId: '1', data: 3 }],
		['{"type":"add","correlationId":"1"}', { type: 'add', correlationId: '1', data: undefined }],
		[
			'{"type":"add","correlationId":"1","error":{"code":"x","message":"y"}}',
			{ type: 'add', correlationId: '1', data: undefined, error: { code: 'x', message: 'y' } },
		],
		[
			'{"type":"","error":{"code":"invalid_message","message":"y"}}',
			{ type: '', error: { code: 'invalid_message', message: 'y' } },
		],
		['{"name":"n","data":1,"timestamp":2,"topic":"t"}', { name: 'n', data: 1, timestamp: 2, topic: 't' }],
		[
			'{"type":"@gap","data":{"topic":"t","since":1,"until":2}}',
			{ type: '@gap', data: { topic: 't', since: 1, until: 2 } },
		],
	])('recognizes %s', (text, incoming) => {
		expect(readFrame(text)).toEqual(incoming);
	});

	it('refuses an answer whose values are malformed', () => {
		const answer = '{"type":"add","correlationId":"1","data":3,"values":[["date"]]}';
		expect(readFrame(answer)).toMatchObject({ correlationId: '1', error: { code: 'invalid_reply' } });
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
		'{"name":"n","data":1,"timestamp":2,"values":[["date"]]}',
		'{"type":"","error":{"code":"x","message":"y"},"values":5}',
	])('returns undefined for any other text: %s', (text) => {
		expect(readFrame(text)).toBeUndefined();
	});
});

describe('readFrame never throws', () => {
	it('for any text', () => {
		fc.assert(
			fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
				expectFrame(readFrame(text));
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
				expectFrame(readFrame(JSON.stringify(fields)));
			}),
		);
	});
});
