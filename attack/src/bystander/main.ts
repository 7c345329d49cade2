// A well-behaved client in its own process. It listens to the news, sends requests, and records what it notices.

import { answerRequests } from '@orijs/testkit';
import { NEWS } from '../server/protocol.ts';
import type { Noticed } from './protocol.ts';

/** The delay between two requests, in milliseconds. */
const BETWEEN_REQUESTS_MS = 50;

const socket = new WebSocket(process.argv[2] ?? '', 'orijs.1');
let closes = 0;
let answers = 0;
let slowestMs = 0;
let sentAt = 0;
let isWaiting = false;
let firstNews: number | undefined;
let lastNews = 0;
let missed = 0;

const opened = Promise.withResolvers<void>();
socket.addEventListener('close', () => closes++);
socket.addEventListener('open', () => {
	socket.send(JSON.stringify({ type: '@subscribe', correlationId: 's', data: { topic: NEWS } }));
	setInterval(ask, BETWEEN_REQUESTS_MS);
});
socket.addEventListener('message', ({ data }: MessageEvent<string>) => {
	const text = data;
	if (/^\d+$/.test(text)) onNews(Number(text));
	else if (text.includes('"a"')) onAnswer();
	else opened.resolve();
});

function ask(): void {
	if (isWaiting || socket.readyState !== WebSocket.OPEN) return;
	isWaiting = true;
	sentAt = performance.now();
	socket.send(JSON.stringify({ type: 'echo', correlationId: 'a', data: answers }));
}

function onAnswer(): void {
	isWaiting = false;
	answers++;
	slowestMs = Math.max(slowestMs, performance.now() - sentAt);
}

function onNews(n: number): void {
	if (firstNews !== undefined) missed += n - lastNews - 1;
	firstNews ??= n;
	lastNews = n;
}

answerRequests(async () => {
	await opened.promise;
	const waitingMs = isWaiting ? performance.now() - sentAt : 0;
	const noticed: Noticed = { answers, slowestMs: Math.max(slowestMs, waitingMs), missed, lastNews, closes };
	[answers, slowestMs] = [0, 0];
	return noticed;
});
