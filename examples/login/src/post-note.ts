/** A program that posts a note, and needs only Bun: `NAME=grace PASSWORD=… bun src/post-note.ts 'Version 2 is out'`. */
interface Answer {
	readonly correlationId?: string;
	readonly data?: { readonly id: string };
	readonly error?: { readonly message: string };
}

const { URL: server = 'http://localhost:3000', NAME: name = '', PASSWORD: password = '' } = process.env;
const text = process.argv[2] ?? '';

const login = await fetch(new URL('/token', server), { method: 'POST', body: new URLSearchParams({ name, password }) });
if (!login.ok) {
	console.error(`Could not log in: ${await login.text()}`);
	process.exit(1);
}
const { token } = (await login.json()) as { token: string };

const socket = new WebSocket(new URL('/ws', server.replace(/^http/, 'ws')), 'orijs.1');
socket.addEventListener('open', () => {
	// The token is sent first. Later frames wait on the server until the token has been checked.
	socket.send(JSON.stringify({ type: '@auth', data: { token } }));
	socket.send(JSON.stringify({ type: 'note.post', data: { text }, correlationId: 'post' }));
});
socket.addEventListener('message', ({ data: frame }: MessageEvent<string>) => {
	const { correlationId, data, error } = JSON.parse(frame) as Answer;
	if (correlationId !== 'post') return;
	if (error === undefined) {
		console.log(`Posted as ${data?.id}`);
	} else {
		console.error(error.message);
		process.exitCode = 1;
	}
	socket.close(1000);
});
socket.addEventListener('close', ({ code, reason }) => {
	if (code === 1000) return;
	console.error(`The connection was closed: ${code} ${reason}`);
	process.exitCode = 1;
});
