/** A page of React components in StrictMode, which mounts each of them twice. */
import { StrictMode, useEffect, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SocketClient } from '../../src/index.ts';
import { Said } from './messages.ts';
import { useClient } from './use-client.ts';
import { usePresence } from './use-presence.ts';
import { useTopic } from './use-topic.ts';

export interface ReactPage {
	/** How often components have been mounted. */
	mounts: number;
	/** What the page has shown, each time it changed. */
	readonly shown: { readonly topic: string; readonly ids: readonly number[] }[];
	connect(endpoint: string): Promise<void>;
	/** As `connect`, but the client belongs to a component. */
	connectInside(endpoint: string): void;
	/** Shows a room; undefined shows none. */
	goTo(topic: string | undefined): void;
}

// The types of browsers conflict with those of Bun, which the other files of this folder need.
declare const document: {
	readonly body: { append(child: Element): void };
	createElement(name: string): Element;
};

let setTopic: (topic: string | undefined) => void;

interface AppProps {
	readonly client: SocketClient;
}

function App({ client }: AppProps): React.ReactNode {
	const [topic, set] = useState<string>();
	setTopic = set;
	return topic === undefined ? <p>no room</p> : <Room client={client} topic={topic} />;
}

function Owner({ endpoint }: { readonly endpoint: string }): React.ReactNode {
	const client = useClient(endpoint);
	return client && <App client={client} />;
}

function Room({ client, topic }: AppProps & { readonly topic: string }): React.ReactNode {
	const { messages, error } = useTopic(client, topic, Said, 50);
	const { members, count, isStale } = usePresence(client, topic);
	useEffect(() => void reactPage.mounts++, []);
	useLayoutEffect(() => void reactPage.shown.push({ topic, ids: messages.map(({ id }) => id) }), [topic, messages]);
	return (
		<>
			<h1>{topic}</h1>
			<output>{isStale ? 'unknown' : `${members.length} of ${count}`}</output>
			{error && <p id="error">{error.message}</p>}
			<ul>
				{messages.map(({ id, text }) => (
					<li key={id}>{text}</li>
				))}
			</ul>
		</>
	);
}

const reactPage: ReactPage = {
	mounts: 0,
	shown: [],
	async connect(endpoint) {
		const client = new SocketClient(endpoint);
		render(<App client={client} />);
		await client.connect();
	},
	connectInside: (endpoint) => render(<Owner endpoint={endpoint} />),
	goTo: (topic) => setTopic(topic),
};

function render(app: React.ReactNode): void {
	const root = document.createElement('main');
	document.body.append(root);
	createRoot(root).render(<StrictMode>{app}</StrictMode>);
}

Object.assign(globalThis, { reactPage });
