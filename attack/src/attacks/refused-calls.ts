import { until } from '@orijs/testkit';
import type { Attack } from '../attack.ts';
import { message, sendSteadily } from '../flood.ts';

/** Just below the limit of messages per second. */
const PER_SECOND = 90;

/** Sends messages that are refused, or whose handlers fail, as fast as the limits allow. */
function refused(name: string, title: string, messages: readonly Buffer[]): Attack {
	return {
		name,
		title,
		bounds: { peakMib: 96 },
		async run(target, size) {
			const sockets = await target.openMany(size(20, 10));
			let i = 0;
			await sendSteadily(target, sockets, {
				bytes: () => messages[i++ % messages.length] as Buffer,
				perSecond: PER_SECOND,
				seconds: size(10, 3),
			});
			await until(() => sockets.every(({ texts }) => texts.length > 0), { what: 'all were answered' });
		},
	};
}

const LONG = 'x'.repeat(8_000);
/** Line breaks, an escape sequence, C1 controls, bidirectional controls, separators and a byte order mark. */
const HOSTILE = 'a\n\r\u001b[31m\u0085\u009b\u200b\u202e\u2028\u2029\u2066\ufeff';

export const refusedCalls: Attack = refused('refused-calls', 'refused calls, without a pause', [
	message('@subscribe', { topic: 'secret' }, 'r'),
	message('@subscribe', { topic: `no topic ${LONG}` }, 'r'),
	message('strict', { n: LONG }, 'r'),
	message(`unknown${LONG.slice(0, 50)}`, null, 'r'),
	message('echo', LONG, ''),
]);

export const failingHandlers: Attack = refused('failing-handlers', 'calls whose handlers fail, without a pause', [
	message('fail', LONG, 'r'),
]);

export const hostileNames: Attack = {
	...refused('hostile-names', 'names with control characters, which end up in errors', [
		message(HOSTILE, null, 'r'),
		message('@subscribe', { topic: HOSTILE }, 'r'),
		message('fail', HOSTILE, 'r'),
		message('strict', { n: HOSTILE, [HOSTILE]: 1 }, HOSTILE),
	]),
};
