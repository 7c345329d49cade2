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

/** Reports when a server's connections are lost, and recovers the subscriptions when the connections are back. */
export class OutageRecovery {
	readonly #options: OutageRecoveryOptions;

	constructor(options: OutageRecoveryOptions) {
		this.#options = options;
	}

	/** Watches both connections from now on. */
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

	/** Also called for each failed attempt to reconnect. */
	#lost({ lastError }: ServerConnection, name: 'publisher' | 'subscriber'): void {
		const { status } = this.#options;
		status.degrade(`${name} connection down`);
		status.lost(lastError);
	}

	get #isUp(): boolean {
		const { publisher, subscriber, primaryCheck, ending } = this.#options;
		if (ending.aborted || primaryCheck.isOnReplica) return false;
		return publisher.isReady && subscriber.isReady;
	}

	/** A connection is ready again. Once both are, resubscribes all channels and reports the server as ready. */
	async #recover(connection: ServerConnection): Promise<void> {
		const { subscriptions, status, primaryCheck } = this.#options;
		try {
			// Queries only the new connection: one that already has subscriptions may reject the command.
			if ((await primaryCheck.identify(connection)).isReplica === true) primaryCheck.leaveReplica();
			if (!this.#isUp) return;
			if (!subscriptions.isComplete) {
				const { lostAt } = subscriptions;
				await subscriptions.subscribeAll();
				if (!this.#isUp || subscriptions.lostAt !== lostAt) return;
				subscriptions.recovered(status.degraded ?? 'connection lost');
			}
			status.ready();
		} catch {
			// The connection failed again. Once it is ready, this method is called again.
		}
	}
}
