/** A tab with a client that records its events. */
import {
	type ClientState,
	type GapNotice,
	isMessage,
	SocketClient,
	type SocketClientOptions,
} from '../../src/index.ts';
import { Double, Tick, TOPIC } from './messages.ts';

let client: SocketClient;
const tab: Tab = {
	received: [],
	gaps: [],
	states: [],
	errors: [],
	async connect(endpoint, options) {
		client = new SocketClient(endpoint, options);
		client.onStateChange((state) => tab.states.push(state));
		client.onError(({ message }, stage) => tab.errors.push(`${stage}: ${message}`));
		await client.connect();
		await client.subscribe(TOPIC, {
			onMessage: (_, envelope) => {
				if (isMessage(Tick, envelope)) tab.received.push(envelope.data.number);
			},
			onGap: (gap) => tab.gaps.push(gap),
		});
	},
	double: (number) => client.request(Double, number),
	state: () => client.state,
};
Object.assign(globalThis, { tab });

export interface Tab {
	readonly received: number[];
	readonly gaps: GapNotice[];
	readonly states: ClientState[];
	readonly errors: string[];
	connect(endpoint: string, options: SocketClientOptions): Promise<void>;
	double(number: number): Promise<number>;
	state(): ClientState;
}
