import { eventually } from './assertions.ts';
import type { TestServer } from './test-server.ts';

/** Resolves with the texts of the `say` messages that the server has handled. */
export async function handledTexts(server: TestServer): Promise<string[]> {
	return (await handledData(server, 'say')).map((data) => (data as { text: string }).text);
}

export async function untilTextsHandled(server: TestServer, count: number): Promise<void> {
	await eventually(
		async () => (await handledTexts(server)).length >= count,
		`${count} say messages are handled`,
		10_000,
	);
}

/** Resolves with the data of all messages of a type that the server has handled. */
export async function handledData(server: TestServer, type: string): Promise<unknown[]> {
	return (await server.handled()).filter((one) => one.type === type).map(({ data }) => data);
}

export async function untilHandled(server: TestServer, type: string, count = 1): Promise<void> {
	await eventually(async () => (await handledData(server, type)).length >= count, `${count} ${type} are handled`);
}
