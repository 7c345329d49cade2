import { strict as assert } from 'node:assert';
import { SocketRequestError } from '../index.ts';
import { eventually } from './play.ts';
import type { Stage } from './stage.ts';

export async function said(stage: Stage): Promise<string[]> {
	const handled = await stage.handled();
	return handled.filter(({ type }) => type === 'say').map(({ data }) => (data as { text: string }).text);
}

export async function untilSaid(stage: Stage, count: number): Promise<void> {
	await eventually(async () => (await said(stage)).length >= count, `${count} were said`, 10_000);
}

export async function handledOnly(stage: Stage, type: string): Promise<unknown[]> {
	return (await stage.handled()).filter((one) => one.type === type).map(({ data }) => data);
}

export async function untilHandled(stage: Stage, type: string, count = 1): Promise<void> {
	await eventually(async () => (await handledOnly(stage, type)).length >= count, `${count} ${type} are handled`);
}

export function isRefused(error: Error, code: string): void {
	assert.ok(error instanceof SocketRequestError, String(error));
	assert.equal(error.code, code);
}

/** Hears of numbered messages. */
export function counter(): { readonly heard: number[]; onMessage(data: unknown): void } {
	const heard: number[] = [];
	return { heard, onMessage: (data) => void heard.push((data as { n: number }).n) };
}
