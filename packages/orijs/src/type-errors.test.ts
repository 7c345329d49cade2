import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PACKAGE = fileURLToPath(new URL('..', import.meta.url));
const TSC = join(PACKAGE, '../../node_modules/.bin/tsc');

const UPGRADE =
	"'(req: BunRequest<string>, response: UpgradeResponse) => " +
	"Promise<UpgradeResult<ConnectionData>> | UpgradeResult<...>'";
const MESSAGE = "'SocketMessage<StandardSchemaV1<unknown, unknown>, StandardSchemaV1<unknown, unknown> | undefined>'";
const AND_DATA = `'"a message from SocketMessage.define(), followed by its data"'`;
const AND_HANDLER = `'"a message from SocketMessage.define() with a reply, followed by its handler"'`;

it('mistakes are named in the first line of what the compiler says', { timeout: 60_000 }, async () => {
	expect(await firstLines('type-errors/mistakes.ts')).toEqual({
		'new Application().websocket({ upgrade: () => 5 });': `Type '() => number' is not assignable to type ${UPGRADE}.`,
		'new Application().websocket({ upgrade: async (req) => req.url });': `Type '(req: BunRequest<string>) => Promise<string>' is not assignable to type ${UPGRADE}.`,
		'new Application().websocket(new InProcWsProvider(), { upgrade() {} });': `Type '() => void' is not assignable to type ${UPGRADE}.`,
		"new Application().websocket({ paht: '/ws' });":
			"Object literal may only specify known properties, and 'paht' does not exist in type " +
			"'WebSocketOptions<ConnectionData> | WebSocketProvider'.",

		"new SocketRouter().on('say', () => 5);": `Argument of type 'string' is not assignable to parameter of type ${MESSAGE}.`,
		'new SocketRouter().on(Say, () => {});':
			"Argument of type '() => void' is not assignable to parameter of type " +
			"'MessageHandler<SocketMessage<ZodString, ZodNumber>, object>'.",
		"new SocketRouter().use('log');":
			"Argument of type 'string' is not assignable to parameter of type 'MessageMiddleware<object>'.",
		'new SocketRouter().guardMessages(async () => {});': `Argument of type '() => Promise<void>' is not assignable to parameter of type 'MessageGuard<object, ${MESSAGE.slice(1, -1)}>'.`,
		'new SocketRouter().onUnknown();': 'Expected 1 arguments, but got 0.',

		"void ctx.request('say');": `Argument of type '"say"' is not assignable to parameter of type ${AND_DATA}.`,
		'void ctx.request(Say);': `Argument of type 'SocketMessage<ZodString, ZodNumber>' is not assignable to parameter of type ${AND_DATA}.`,
		"void ctx.request(Ping, 'text');":
			"Argument of type 'SocketMessage<ZodString, undefined>' is not assignable to parameter of type 'RequestMessage'.",
		"void app.socket.request('id', 'say');": `Argument of type '"say"' is not assignable to parameter of type ${AND_DATA}.`,
		"void client.request('say');": `Argument of type '"say"' is not assignable to parameter of type ${AND_DATA}.`,
		'void client.request(Say);': `Argument of type 'SocketMessage<ZodString, ZodNumber>' is not assignable to parameter of type ${AND_DATA}.`,
		'void client.request(Say, 5);': "Argument of type 'number' is not assignable to parameter of type 'string'.",

		'client.handle(Ping);': `Argument of type 'SocketMessage<ZodString, undefined>' is not assignable to parameter of type ${AND_HANDLER}.`,
		'client.handle(Say);': `Argument of type 'SocketMessage<ZodString, ZodNumber>' is not assignable to parameter of type ${AND_HANDLER}.`,
		'client.handle(Ping, () => 5);':
			"Argument of type 'SocketMessage<ZodString, undefined>' is not assignable to parameter of type 'RequestMessage'.",
		"client.handle('say', () => 5);":
			"Argument of type 'string' is not assignable to parameter of type 'RequestMessage'.",
		"client.handle(Say, () => 'text');": "Type 'string' is not assignable to type 'number | Promise<number>'.",
	});
});

/** Returns the first line of each of the compiler's errors about a file, by the line of the file. */
async function firstLines(file: string): Promise<Record<string, string>> {
	const tsc = Bun.spawn([process.execPath, '--bun', TSC, '-p', 'type-errors', '--pretty', 'false'], {
		cwd: PACKAGE,
		stdout: 'pipe',
	});
	const lines = (await Bun.file(join(PACKAGE, file)).text()).split('\n');
	const errors = (await tsc.stdout.text()).matchAll(/^(\S+)\((\d+),\d+\): error TS\d+: (.*)$/gm);
	return Object.fromEntries(
		[...errors].map(([, path, line, message]) => [path === file ? lines[Number(line) - 1] : path, message]),
	);
}
