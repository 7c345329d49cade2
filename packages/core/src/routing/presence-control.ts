import type { Logger, SocketPresence, WebSocketProvider } from '@orijs/websocket';
import { ApplicationError } from '../errors.ts';
import type { AllLimits } from '../limits.ts';
import { type EndpointPresenceOptions, withPresenceDefaults } from '../presence-options.ts';
import type { Refusals } from '../refusals.ts';
import type { SessionOf } from '../session/gap-forwarding.ts';
import type { Session } from '../session/session.ts';
import { FaultLog } from '../support/fault-log.ts';
import { PresenceAuthorizer } from './presence-authorizer.ts';
import { describePresence } from './presence-describers.ts';
import { PresenceInfos } from './presence-info.ts';
import { PresenceWatches } from './presence-watches.ts';
import { UpdateRates } from './update-rates.ts';

export interface PresenceControlParts {
	readonly provider: Pick<WebSocketProvider, 'socketPresence'>;
	readonly presence: EndpointPresenceOptions | undefined;
	readonly limits: AllLimits;
	readonly refusals: Refusals;
	readonly logger: Logger;
	readonly sessionOf: SessionOf;
}

/** Decides what others see of an endpoint's connections in topics, and which of its clients see who is there. */
export class PresenceControl {
	/** Undefined if clients may see who is in the topics that they are in. */
	readonly authorizer: PresenceAuthorizer | undefined;
	readonly watches: PresenceWatches;
	readonly infos: PresenceInfos;
	readonly rates: UpdateRates;
	readonly #presence: SocketPresence;
	readonly #stopDescribing: (() => void) | undefined;

	/** @throws {ApplicationError} the provider keeps no presence, to which the options belong */
	constructor({ provider, presence: given, limits, refusals, logger, sessionOf }: PresenceControlParts) {
		const options = withPresenceDefaults(given);
		const presence = provider.socketPresence;
		const { info, schema, authorize } = options;
		if (!presence.isEnabled && (info ?? schema ?? authorize) !== undefined) {
			throw new ApplicationError(
				'presence.info, presence.schema and presence.authorize need a provider that keeps presence, such as ' +
					"new InProcWsProvider({ presence: { 'room:*': {} } })",
			);
		}
		this.#presence = presence;
		if (authorize !== undefined) this.authorizer = new PresenceAuthorizer(options, new FaultLog(logger));
		this.watches = new PresenceWatches({ presence, limits, refusals, authorizer: this.authorizer });
		this.infos = new PresenceInfos(options, presence, sessionOf);
		this.rates = new UpdateRates(options.updatesPerSecond, limits.topicsPerSocket);
		if (info !== undefined)
			this.#stopDescribing = describePresence(presence, (socket, topic) => this.infos.describe(socket, topic));
	}

	/** Called when a client's credentials have been renewed, and what its guards have set is in effect. */
	renewed(session: Session): void {
		if (this.#stopDescribing !== undefined) this.#presence.refresh(session.socketId);
		void this.watches.reauthorize(session, undefined);
	}

	stop(): void {
		this.#stopDescribing?.();
		this.watches.stop();
	}
}
