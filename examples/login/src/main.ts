/** Serves the notice board with its page and demo users, on localhost unless HOST is set. */
import { bundlePage } from '@orijs/examples-shared/bundle-page';
import { createNoticeBoard } from './server.ts';
import { DEMO_USERS, Users } from './users.ts';

const { PORT = '3000', HOST = 'localhost', SESSION_SECONDS = '28800' } = process.env;

try {
	if (!/^\d+$/.test(PORT) || Number(PORT) < 1 || Number(PORT) > 65_535) {
		throw new Error(`PORT must be a number from 1 to 65535, not ${JSON.stringify(PORT)}`);
	}
	if (!/^[1-9]\d{0,5}$/.test(SESSION_SECONDS)) {
		throw new Error(`SESSION_SECONDS must be a number from 1 to 999999, not ${JSON.stringify(SESSION_SECONDS)}`);
	}
	const [users, page] = await Promise.all([
		Users.create(DEMO_USERS),
		bundlePage(new URL('page/index.html', import.meta.url)),
	]);
	await createNoticeBoard({ users, sessionLifetimeMs: Number(SESSION_SECONDS) * 1_000 })
		.routes(page)
		.listen({ port: Number(PORT), hostname: HOST });
	console.log(`The notice board is at http://${HOST}:${PORT}`);
	for (const { name, role, password } of DEMO_USERS) console.log(`Log in as ${name} (${role}) with ${password}`);
} catch (error) {
	console.error(error instanceof Error ? error.message : error);
	process.exit(1);
}
