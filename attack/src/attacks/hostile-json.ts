import { frame } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { sendSteadily } from '../flood.ts';

const BYTES = 64_000;

const MESSAGES = [
	`{"type":"echo","data":${'['.repeat(BYTES / 2)}${']'.repeat(BYTES / 2 - 50)}}`,
	`{"type":"echo","data":{${Array.from({ length: 8_000 }, (_, i) => `"${i}":1`)
		.join(',')
		.slice(0, BYTES)}}}`,
	`{"type":"strict","data":{"n":"${'\\u0000'.repeat(10_000)}"}}`,
	`{"type":"${'t'.repeat(BYTES - 100)}"}`,
	`{"type":"echo","correlationId":"${'c'.repeat(BYTES - 100)}"}`,
	`{"type":"@subscribe","data":{"topics":[${Array(20_000).fill('""').join(',')}]}}`,
].map((text) => frame(text.slice(0, 65_536)));

export const hostileJson: Attack = {
	name: 'hostile-json',
	title: 'JSON that is deep, has many keys, or one long name',
	bounds: { peakMib: 192 },
	async run(target, size) {
		const sockets = await target.openMany(size(20, 5));
		let i = 0;
		await sendSteadily(target, sockets, {
			bytes: () => MESSAGES[i++ % MESSAGES.length] as Buffer,
			perSecond: 14,
			seconds: size(8, 3),
		});
	},
};
