import { strict as assert } from 'node:assert';
import { InvalidClientOptionError, UnsentMessageError } from '../../index.ts';
import { Add, Checked, Fail, Say, Wait } from '../messages.ts';
import { clientOf, eventually, readyClient, rejection, untilState } from '../play.ts';
import type { Scenario } from '../stage.ts';
import { handledOnly, isRefused, untilHandled } from '../watching.ts';

export const givingUp: Record<string, Scenario> = {
	'it waits for a connection, and the time of that counts': async (stage) => {
		const client = clientOf(stage);
		void client.connect();
		const short = client.request(Add, { a: 1, b: 1 }, { timeoutMs: 50 });
		const long = client.request(Add, { a: 2, b: 2 });
		const error = await rejection(short);
		isRefused(error, 'timeout');
		assert.match(error.message, /no connection within 50 ms/);
		await stage.serve();
		assert.equal(await long, 4);
		assert.deepEqual(await handledOnly(stage, 'add'), [{ a: 2, b: 2 }]);
	},

	'one that is not answered in time rejects, and its late answer harms nobody': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { requestTimeoutMs: 50 });
		const error = await rejection(client.request(Wait, 1));
		isRefused(error, 'timeout');
		assert.match(error.message, /did not answer within 50 ms/);
		await stage.release();
		assert.equal(await client.request(Wait, 2, { timeoutMs: 5_000 }), 2);
	},

	'a signal ends it: before it is sent, while it waits, and while it is answered': async (stage) => {
		await stage.serve();
		const reason = new Error('not wanted any more');
		const client = clientOf(stage);
		assert.equal(await rejection(client.request(Add, { a: 1, b: 1 }, { signal: AbortSignal.abort(reason) })), reason);

		const early = new AbortController();
		const waiting = client.request(Add, { a: 2, b: 2 }, { signal: early.signal });
		early.abort(reason);
		assert.equal(await rejection(waiting), reason);

		await client.connect();
		const late = new AbortController();
		const asked = client.request(Wait, 1, { signal: late.signal });
		await untilHandled(stage, 'wait');
		late.abort(reason);
		assert.equal(await rejection(asked), reason);
		await stage.release();
		assert.equal(await client.request(Wait, 2), 2);
		assert.deepEqual(await handledOnly(stage, 'add'), []);
	},

	'a signal ends it while its schema still looks at the data': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const controller = new AbortController();
		const asked = client.request(Checked, 'good', { signal: controller.signal });
		controller.abort(new Error('not wanted any more'));
		assert.equal((await rejection(asked)).message, 'not wanted any more');
		await client.request(Say, { text: 'marker' });
		assert.deepEqual(await handledOnly(stage, 'checked'), []);
	},

	'an answered request leaves nothing on its signal': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const { signal } = new AbortController();
		let listeners = 0;
		const { addEventListener, removeEventListener } = signal;
		signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
			listeners++;
			addEventListener.apply(signal, args);
		};
		signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
			listeners--;
			removeEventListener.apply(signal, args);
		};
		await client.request(Add, { a: 1, b: 1 }, { signal });
		await rejection(client.request(Fail, {}, { signal }));
		await eventually(() => listeners === 0, 'nobody listens any more');
	},

	'when the connection is lost it is disconnected, and not asked again': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const asked = client.request(Wait, 1);
		await untilHandled(stage, 'wait');
		await stage.kill();
		isRefused(await rejection(asked), 'disconnected');
		await stage.release();
		await stage.serve();
		await client.request(Wait, 2);
		assert.deepEqual(await handledOnly(stage, 'wait'), [1, 2]);
	},

	'close() ends those that are under way, and those that wait': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		const asked = client.request(Wait, 1);
		await untilHandled(stage, 'wait');
		const closed = client.close();
		isRefused(await rejection(client.request(Wait, 2)), 'disconnected');
		isRefused(await rejection(asked), 'disconnected');
		await closed;

		const other = clientOf(stage);
		const waiting = other.request(Wait, 3);
		await other.close();
		const error = await rejection(waiting);
		isRefused(error, 'disconnected');
		assert.ok(error.cause instanceof UnsentMessageError);
	},

	'a timeout that is none is refused with what is allowed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage);
		for (const timeoutMs of [0, -1, Number.NaN, Infinity, '5' as never]) {
			const error = await rejection(client.request(Add, { a: 1, b: 1 }, { timeoutMs }));
			assert.ok(error instanceof InvalidClientOptionError);
			assert.match(error.message, /timeoutMs must be a number of milliseconds from 1 to 2147483647/);
		}
		assert.deepEqual(await handledOnly(stage, 'add'), []);
	},

	'one that is asked while the link is dead is disconnected once that is noticed': async (stage) => {
		await stage.serve();
		const client = await readyClient(stage, { heartbeat: { intervalMs: 50, timeoutMs: 150 } });
		await stage.link('freeze');
		const asked = client.request(Add, { a: 1, b: 1 });
		isRefused(await rejection(asked), 'disconnected');
		await stage.link('cut');
		await stage.link('thaw');
		await untilState(client, 'ready');
	},
};
