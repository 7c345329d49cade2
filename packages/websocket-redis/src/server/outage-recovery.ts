import type { PrimaryCheck } from './primary-check.ts';
import type { ServerConnection } from './server-connection.ts';
import type { ServerStatus } from './server-status.ts';
import type { Subscriptions } from './subscriptions.ts';

export interface OutageRecoveryOptions {
	readonly publisher: ServerConnection;
	readonly subscriber: ServerConnection;
	readonly subscriptions: Subscriptions;
	readonly status: ServerStatus;
	readonly primaryCheck: PrimaryCheck;
	/** Aborted when the server is closed. */
	readonly ending: AbortSignal;
}

/** Reports when a server's connections are lost, and restores the subscriptions when the connections are back. */
export class OutageRecovery {
	readonly #options: OutageRecoveryOptions;

	constructor(options: OutageRecoveryOptions) {
		this.#options = options;
	}

	/** Starts to watch both connections. */
	start(): void {
		const { publisher, subscriber, subscriptions } = this.#options;
		publisher.watch({
			onReady: () => void this.#recover(publisher),
			onLost: () => this.#lost(publisher, 'publisher'),
		});
		subscriber.watch({
			onReady: () => void this.#recover(subscriber),
			onLost: () => {
				subscriptions.lost();
				this.#lost(subscriber, 'subscriber');
			},
		});
	}

	/** Called when a connection was lost, or an attempt to reconnect has failed. */
	#lost({ lastError }: ServerConnection, name: 'publisher' | 'subscriber'): void {
		const { status } = this.#options;
		status.degrade(`the ${name} connection is down`);
		status.lost(lastError);
	}

	get #isUp(): boolean {
		const { publisher, subscriber, primaryCheck, ending } = this.#options;
		if (ending.aborted || primaryCheck.isOnReplica) return false;
		return publisher.isReady && subscriber.isReady;
	}

	/**
	 * Called when a connection is ready again. Once both are, resubscribes all channels and reports the server as ready.
	 */
	async #recover(connection: ServerConnection): Promise<void> {
		const { publisher, subscriber, subscriptions, status, primaryCheck } = this.#options;
		try {
			// Queries only the new connection: a connection that already has subscriptions may reject the command.
			if ((await primaryCheck.identify(connection)).isReplica === true) primaryCheck.leaveReplica();
			if (!this.#isUp) return;
			if (!subscriptions.isComplete) {
				const { lostAt } = subscriptions;
				await subscriptions.subscribeAll();
				if (!this.#isUp || subscriptions.lostAt !== lostAt) return;
				subscriptions.recovered(status.degraded ?? 'connection lost');
			}
			publisher.wasReady = subscriber.wasReady = true;
			status.ready();
			// One of the connections was kept, and the other now leads somewhere else.
			if (primaryCheck.areApart) await primaryCheck.verifyPrimary();
		} catch {
			// The connection failed again. When it is ready, this method is called again.
		}
	}
}
