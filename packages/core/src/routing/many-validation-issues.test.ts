import { connectSpeaker, RecordingLogger } from '@orijs/testkit';
import { SocketMessage } from '@orijs/websocket';
import { expect, it } from 'vitest';
import { z } from 'zod';
import { Application, SocketRouter } from '../index.ts';
import { serve } from '../test-support/serve.ts';
import { parse, sendTyped } from '../test-support/typed-client.ts';

const Sum = SocketMessage.define({ name: 'sum', data: z.array(z.number()) });

it('a refusal lists ten validation issues and counts the others', async () => {
	const app = new Application({ logger: new RecordingLogger() })
		.websocket()
		.socketRouter(new SocketRouter().on(Sum, () => undefined));
	const client = await connectSpeaker((await serve(app)).ws);

	sendTyped(client, 'sum', Array<string>(10_000).fill(''), 'a');
	const answer = String(await client.next());
	expect(answer.length).toBeLessThan(3_000);
	const { code, message } = parse(answer)['error'] as Record<string, string>;
	expect(code).toBe('invalid_data');
	expect(message).toContain('0: ');
	expect(message).toContain('9: ');
	expect(message).not.toContain('10: ');
	expect(message).toMatch(/; and 9990 more$/);
});
