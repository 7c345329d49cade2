// A node: an application on a Redis provider that publishes all the time, and writes down what it does.

import { answerRequests } from '@orijs/testkit';
import { Application, type AppSocket } from '../../../core/src/index.ts';
import { RedisWsProvider } from '../../src/index.ts';
import { Random } from '../random.ts';
import { Journal } from '../record/journal.ts';
import { trueNow } from '../record/true-time.ts';
import { GIVEN_TOPICS, HISTORY, PRESENCE } from '../settings.ts';
import { journalLogger } from './journal-logger.ts';
import type { NodeEntry, NodeRequest, NodeSettings } from './protocol.ts';
import { Publisher } from './publisher.ts';
import { Witness } from './witness.ts';

/** A close code after which clients reconnect. */
const SERVICE_RESTART = 1012;
/** How long the promises of publishes may take to settle once the application has stopped, in milliseconds. */
const SETTLE_MS = 1_000;

const settings = JSON.parse(String(process.env['MODEL_NODE'])) as NodeSettings;
const journal = new Journal<NodeEntry>(settings.journal);
const failed = (what: string): void => journal.add({ do: 'failure', at: trueNow(), what });
process.on('unhandledRejection', (reason) => failed(`an unhandled rejection: ${Bun.inspect(reason)}`));
process.on('uncaughtException', (error) => failed(`an uncaught exception: ${Bun.inspect(error)}`));

const random = new Random(settings.seed);
const logger = journalLogger(journal);
const provider = new RedisWsProvider({
	connection: { host: '127.0.0.1', port: settings.redisPort },
	history: HISTORY,
	presence: PRESENCE,
	collectBeatsAbove: settings.collectBeatsAbove,
	logger,
});
provider.onGap((gap) => journal.add({ do: 'gap', at: trueNow(), ...gap }));
provider.onStatus((status) => journal.add({ do: 'status', at: trueNow(), status }));

const clients = new Set<AppSocket<{ isWitness: boolean }>>();
const app = new Application({ logger, signals: false })
	.websocket(provider, {
		authorize: { subscribe: () => true },
		upgrade(req, response) {
			const userId = new URL(req.url).searchParams.get('user');
			if (userId !== null) response.userId = userId;
			return { isWitness: req.url.endsWith('?witness') };
		},
	})
	.onWebSocket({
		open(ws) {
			clients.add(ws);
			if (!ws.data.data.isWitness) for (const topic of GIVEN_TOPICS) void ws.subscribe(topic);
			journal.add({ do: 'open', at: trueNow(), socketId: ws.data.socketId });
		},
		close: (ws) => void clients.delete(ws),
	});
const publisher = new Publisher(settings.process, provider, journal, random.fork());
const witness = new Witness(`ws://127.0.0.1:${settings.port}/ws?witness`, journal);

/** Ends the process if it can't start, as it does while Redis is away: it is started again. */
const started = app.listen({ port: settings.port, hostname: '127.0.0.1' }).then(
	async () => {
		await witness.connect();
		publisher.start();
	},
	(error: unknown) => {
		logger.error('The node could not start', { err: error });
		journal.close();
		process.exit(3);
	},
);

process.on('SIGTERM', () => void stop());

async function stop(): Promise<void> {
	witness.leave();
	await app.stop();
	publisher.stop();
	const deadline = performance.now() + SETTLE_MS;
	while (publisher.pending > 0 && performance.now() < deadline) await Bun.sleep(1);
	journal.add({ do: 'stopped', at: trueNow(), pending: publisher.pending });
	journal.close();
	process.exit(0);
}

answerRequests((request) => {
	const message = request as NodeRequest;
	switch (message.do) {
		case 'start':
			return started;
		case 'sockets':
			publisher.sockets = message.sockets;
			return;
		case 'stop publishing':
			publisher.stop();
			return;
		case 'round':
			return publisher.round();
		case 'last':
			return witness.last;
		case 'status':
			return provider.status;
		case 'kick':
			for (const ws of clients) {
				if (ws.data.socketId !== witness.socketId && random.chance(message.share)) ws.close(SERVICE_RESTART);
			}
			return;
		case 'stall':
			for (const end = performance.now() + message.ms; performance.now() < end;);
			return;
		case 'leave':
			return witness.leave();
		case 'pending':
			return publisher.pending;
	}
});
