import { readFileSync } from 'node:fs';
import { connectSpeaker } from '@orijs/testkit';
import { expect, test } from 'vitest';
import { PostNote } from './messages.ts';
import { ada, startBoard } from './test-support/boards.ts';
import { connect, post, tokenOf } from './test-support/member.ts';

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');

test("the README's transcript is what a program sends and receives", async () => {
	const port = await startBoard();
	const [, form = ''] = /^curl -d (.*) http:\/\/localhost:3000\/token$/m.exec(readme) ?? [];
	const response = await fetch(`http://localhost:${port}/token`, {
		method: 'POST',
		body: new URLSearchParams(form.replace(' -d ', '&')),
	});
	const answer = await response.json();
	const [, shown] = /^# (\{"token".*)$/m.exec(readme) ?? [];
	expect(answer).toEqual({ ...printed(shown), expiresAt: expect.any(Number) });

	const { token } = answer as { token: string };
	const renewal = await post(port, '/renew', {}, { Authorization: `Bearer ${token}` });
	expect(await renewal.json()).toEqual({ expiresAt: expect.any(Number) });

	const client = await connectSpeaker(`ws://localhost:${port}/ws`);
	const admin = await connect(port, { auth: { token: await tokenOf(port, ada) } });
	const transcript = [...readme.matchAll(/^([→←]) (.*)$/gm)];
	expect(transcript).toHaveLength(10);
	for (const [, direction, frame = ''] of transcript) {
		if (direction === '→') {
			client.send(frame.replace('{"token":"…"}', JSON.stringify({ token })));
			continue;
		}
		if (frame.includes(`"Well done"`)) await admin.request(PostNote, { text: 'Well done' });
		expect(JSON.parse(String(await client.next()))).toEqual(printed(frame));
	}
});

/** Parses a printed JSON text, in which an ellipsis stands for any value. */
function printed(text = ''): object {
	return JSON.parse(text.replaceAll(/:…/g, ':"…"'), (_, value: unknown) => (value === '…' ? expect.anything() : value));
}
