import { until } from '@orijs/testkit';
import { SocketClient } from '@orijs/websocket-client';
import { describe, expect, onTestFinished, test } from 'vitest';
import { NotePosted, NOTES_TOPIC, PostNote, ReadBoard } from './messages.ts';
import { ada, grace, startBoard } from './test-support/boards.ts';
import { connect, cookieOf, post, tokenOf } from './test-support/member.ts';

const NOT_LOGGED_IN = { code: 4401, reason: 'unauthorized' };
const EXPIRED = { code: 4401, reason: 'token_expired' };

describe('with a cookie', () => {
	test('a client is admitted as its user', async () => {
		const port = await startBoard();
		const response = await post(port, '/login', { name: grace.name, password: grace.password });

		expect(response.status).toBe(204);
		const cookie = response.headers.get('set-cookie') ?? '';
		expect(cookie).toMatch(/^session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly; SameSite=Lax$/);
		const client = await connect(port, { cookie: cookie.split(';')[0] ?? '' });
		expect(await client.request(ReadBoard, {})).toEqual({
			you: { name: 'grace', role: 'member' },
			notes: [],
			online: ['grace'],
		});
	});

	test('behind HTTPS the cookie is not sent over plain HTTP', async () => {
		const port = await startBoard();
		const response = await post(port, '/login', ada, { 'X-Forwarded-Proto': 'https' });

		expect(response.headers.get('set-cookie')).toMatch(/; Secure/);
	});

	test('a form works as well, and leads back to the page', async () => {
		const port = await startBoard();
		const { name, password } = ada;
		const response = await fetch(`http://localhost:${port}/login`, {
			method: 'POST',
			body: new URLSearchParams({ name, password }),
			redirect: 'manual',
		});

		expect(response.status).toBe(303);
		expect(response.headers.get('location')).toBe('/');
		expect(response.headers.get('set-cookie')).toMatch(/^session=/);
	});

	test('a client without one is refused', async () => {
		const port = await startBoard();

		expect(await (await connect(port, {})).closed).toEqual(NOT_LOGGED_IN);
		expect(await (await connect(port, { cookie: 'session=made-up' })).closed).toEqual(NOT_LOGGED_IN);
	});

	test('a token does not work as a cookie, nor a cookie as a token', async () => {
		const port = await startBoard();
		const token = await tokenOf(port, ada);
		const cookie = await cookieOf(port, ada);

		expect(await (await connect(port, { cookie: `session=${token}` })).closed).toEqual(NOT_LOGGED_IN);
		const swapped = await connect(port, { auth: { token: cookie.replace('session=', '') } });
		expect(await swapped.closed).toEqual(NOT_LOGGED_IN);
	});

	test('a session expires, and its sockets are closed', async () => {
		const port = await startBoard({ sessionLifetimeMs: 1_000 });
		const cookie = await cookieOf(port, ada);
		const client = await connect(port, { cookie });
		await client.request(ReadBoard, {});

		expect(await client.closed).toEqual(EXPIRED);
		expect(await (await connect(port, { cookie })).closed).toEqual(NOT_LOGGED_IN);
	});
});

describe('pages of other sites', () => {
	test('cannot connect, cookie or not', async () => {
		const port = await startBoard();
		const cookie = await cookieOf(port, ada);

		await expect(connect(port, { cookie, origin: 'https://evil.example' })).rejects.toThrow('403');
		const own = await connect(port, { cookie, origin: `http://localhost:${port}` });
		expect((await own.request(ReadBoard, {})).you.name).toBe('ada');
	});

	test.each([
		['as browsers report it', { 'Sec-Fetch-Site': 'cross-site' }],
		['as older browsers report it', { Origin: 'https://evil.example' }],
	])('cannot log anyone in or out, nor renew a login, %s', async (_, headers) => {
		const port = await startBoard();
		const cookie = await cookieOf(port, ada);

		for (const path of ['/login', '/token', '/renew', '/logout']) {
			const response = await post(port, path, ada, { Cookie: cookie, ...headers });
			expect(response.status).toBe(403);
			expect(response.headers.get('set-cookie')).toBeNull();
		}
		expect((await (await connect(port, { cookie })).request(ReadBoard, {})).you.name).toBe('ada');
	});
});

describe('wrong passwords', () => {
	test('get the same answer as unknown names', async () => {
		const port = await startBoard();
		const wrong = await post(port, '/login', { name: 'ada', password: 'wrong' });
		const unknown = await post(port, '/login', { name: 'unknown', password: ada.password });

		expect([wrong.status, unknown.status]).toEqual([401, 401]);
		expect(await wrong.text()).toBe('{"error":"Wrong name or password"}');
		expect(await unknown.text()).toBe('{"error":"Wrong name or password"}');
		expect(wrong.headers.get('set-cookie')).toBeNull();
		expect((await post(port, '/token', { name: 'ada', password: 'wrong' })).status).toBe(401);
	});

	test('cannot be tried forever', async () => {
		const port = await startBoard({ attemptsPerMinute: 3 });
		const guess = () => post(port, '/login', { name: 'ada', password: 'wrong' });
		const statuses = (await Promise.all([guess(), guess(), guess(), guess()])).map(({ status }) => status);
		expect(statuses.filter((status) => status === 401)).toHaveLength(3);
		expect(statuses).toContain(429);

		// Now even the correct password is refused, on the other route as well.
		const late = await post(port, '/login', ada);
		expect(late.status).toBe(429);
		expect(Number(late.headers.get('retry-after'))).toBeGreaterThan(50);
		expect((await post(port, '/token', ada)).status).toBe(429);
	});

	test('are counted by address', async () => {
		const port = await startBoard({ attemptsPerMinute: 1, addressOf: (req) => req.headers.get('x-real-ip') ?? '' });
		const guess = async (address: string) => (await post(port, '/login', {}, { 'X-Real-IP': address })).status;

		expect(await guess('192.0.2.1')).toBe(400);
		expect(await guess('192.0.2.1')).toBe(429);
		expect(await guess('192.0.2.2')).toBe(400);
	});
});

test.each([
	['no password', { name: 'ada' }],
	['a password that is no text', { name: 'ada', password: ['x'] }],
	['an empty password', { name: 'ada', password: '' }],
	['a body that is far too large', { name: 'ada', password: 'x', more: 'x'.repeat(5_000) }],
])('%s is refused', async (_, body) => {
	const port = await startBoard();

	expect((await post(port, '/login', body)).status).toBe(400);
});

describe('renewing', () => {
	test('a client that renews its login stays connected far beyond its lifetime, and misses nothing', async () => {
		const port = await startBoard({ tokenLifetimeMs: 1_500 });
		const token = await tokenOf(port, grace);
		const renewed: number[] = [];
		const client = new SocketClient(`ws://localhost:${port}/ws`, {
			async auth() {
				renewed.push((await post(port, '/renew', {}, { Authorization: `Bearer ${token}` })).status);
				return { token };
			},
		});
		onTestFinished(() => client.close());
		const states: string[] = [];
		client.onStateChange((state) => states.push(state));
		const heard: string[] = [];
		client.on(NotePosted, ({ text }) => heard.push(text));
		await client.connect();
		await client.subscribe(NOTES_TOPIC);
		const posted: string[] = [];
		while (renewed.length < 4) {
			posted.push(`Note ${posted.length}`);
			await client.request(PostNote, { text: posted.at(-1) ?? '' });
			await until(() => heard.length === posted.length, { what: 'the note has arrived' });
		}

		expect(heard).toEqual(posted);
		expect(renewed).toEqual([200, 200, 200, 200]);
		expect(states).toEqual(['connecting', 'ready']);
	});

	test('a cookie is renewed as well', async () => {
		const port = await startBoard();
		const response = await post(port, '/renew', {}, { Cookie: await cookieOf(port, ada) });

		expect(response.status).toBe(200);
		expect(response.headers.get('set-cookie')).toMatch(/^session=[\w-]{43}; Path=\/; Expires=[^;]+; HttpOnly/);
	});

	test('needs a login', async () => {
		const port = await startBoard();

		expect((await post(port, '/renew', {})).status).toBe(401);
		expect((await post(port, '/renew', {}, { Authorization: 'Bearer made-up' })).status).toBe(401);
	});

	test.each([
		['another user', ada],
		['another login of the same user', grace],
	])('a connection can not go on as %s', async (_, user) => {
		const port = await startBoard();
		const client = await connect(port, { auth: { token: await tokenOf(port, grace) } });
		await client.request(ReadBoard, {});
		client.send(JSON.stringify({ type: '@auth', data: { token: await tokenOf(port, user) } }));

		expect(await client.closed).toEqual(NOT_LOGGED_IN);
	});
});

describe('logging out', () => {
	test('closes the sockets of the session, and no others', async () => {
		const port = await startBoard();
		const [cookie, otherBrowser] = [await cookieOf(port, ada), await cookieOf(port, ada)];
		const tabs = [await connect(port, { cookie }), await connect(port, { cookie })];
		const other = await connect(port, { cookie: otherBrowser });
		for (const client of [...tabs, other]) await client.request(ReadBoard, {});

		const response = await post(port, '/logout', {}, { Cookie: cookie });
		expect(response.status).toBe(204);
		expect(response.headers.get('set-cookie')).toMatch(/^session=; Path=\/; Expires=Thu, 01 Jan 1970/);
		for (const tab of tabs) expect(await tab.closed).toEqual({ code: 4401, reason: 'logged out' });
		expect(await (await connect(port, { cookie })).closed).toEqual(NOT_LOGGED_IN);
		expect((await other.request(ReadBoard, {})).online).toEqual(['ada']);
	});

	test('happens when another user logs in with the same browser', async () => {
		const port = await startBoard();
		const cookie = await cookieOf(port, ada);
		const client = await connect(port, { cookie });
		await client.request(ReadBoard, {});
		const response = await post(port, '/login', grace, { Cookie: cookie });

		expect(await client.closed).toEqual({ code: 4401, reason: 'logged out' });
		const next = await connect(port, { cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '' });
		expect((await next.request(ReadBoard, {})).you.name).toBe('grace');
	});

	test('without being logged in is allowed', async () => {
		const port = await startBoard();

		expect((await post(port, '/logout', {})).status).toBe(204);
	});
});

describe('with a token', () => {
	test('in the first frame a client is admitted', async () => {
		const port = await startBoard();
		const client = await connect(port, { auth: { token: await tokenOf(port, grace) } });

		expect((await client.request(ReadBoard, {})).you).toEqual({ name: 'grace', role: 'member' });
	});

	test.each([
		['made up', { token: 'made-up' }],
		['no text', { token: 7 }],
		['missing', {}],
		['null', null],
		['bare', 'token'],
	])('one that is %s does not, even together with a good cookie', async (_, auth) => {
		const port = await startBoard();
		const client = await connect(port, { cookie: await cookieOf(port, ada), auth });

		expect(await client.closed).toEqual(NOT_LOGGED_IN);
	});

	test('a client is admitted until it expires; then its sockets are closed', async () => {
		const port = await startBoard({ tokenLifetimeMs: 1_000 });
		const token = await tokenOf(port, grace);
		const client = await connect(port, { auth: { token } });
		await client.request(ReadBoard, {});

		expect(await client.closed).toEqual(EXPIRED);
		expect(await (await connect(port, { auth: { token } })).closed).toEqual(NOT_LOGGED_IN);
	});

	test('a client is admitted until it is revoked', async () => {
		const port = await startBoard();
		const token = await tokenOf(port, grace);
		const client = await connect(port, { auth: { token } });
		await client.request(ReadBoard, {});
		await post(port, '/logout', {}, { Authorization: `Bearer ${token}` });

		expect(await client.closed).toEqual({ code: 4401, reason: 'logged out' });
		expect(await (await connect(port, { auth: { token } })).closed).toEqual(NOT_LOGGED_IN);
	});

	test('it is in no URL and must not be cached', async () => {
		const port = await startBoard();
		const response = await post(port, '/token', ada);

		expect(response.headers.get('cache-control')).toBe('no-store');
		const { token, expiresAt } = (await response.json()) as { token: string; expiresAt: number };
		expect(expiresAt).toBeGreaterThan(Date.now());
		await expect(fetch(`http://localhost:${port}/ws?token=${token}`)).resolves.toMatchObject({ status: 426 });
	});
});
