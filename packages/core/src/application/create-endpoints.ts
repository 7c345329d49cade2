import type { EndpointSetup } from '../endpoint/endpoint-setup.ts';
import type { WebSocketEndpoint } from '../endpoint/websocket-endpoint.ts';

/**
 * Creates all endpoints of an application, or none.
 *
 * @throws {ApplicationError} as for {@link EndpointSetup.create}
 */
export function createEndpoints(setups: readonly EndpointSetup[]): readonly WebSocketEndpoint[] {
	const created: WebSocketEndpoint[] = [];
	try {
		for (const setup of setups) created.push((setup.running = setup.create()));
	} catch (error) {
		for (const endpoint of created) endpoint.dispose();
		for (const setup of setups) setup.notStarted();
		throw error;
	}
	return created;
}
