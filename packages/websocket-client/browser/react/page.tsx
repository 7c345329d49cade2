/** A page of React components in StrictMode, which mounts each of them twice. */
import { StrictMode, useEffect, useLayoutEffect, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { SocketClient } from '../../src/index.ts';
import { Said } from './messages.ts';
import { useTopic } from './use-topic.ts';

export interface ReactPage {
	/** How often components have been mounted. */
	mounts: number;
	/** What the page has shown, each time it changed. */
	readonly shown: { readonly topic: string; readonly ids: readonly number[] }[];
	connect(endpoint: string): Promise<void>;
	/** Shows a room; undefined shows none. */
	goTo(topic: string | undefined): void;
}

// The types of browsers conflict with those of Bun, which the other files of this folder need.
declare const document: {
	readonly body: { append(child: Element): void };
	createElement(name: string): Element;
};

let client: SocketClient;
let setTopic: (topic: string | undefined) => void;

function App(): React.ReactNode {
	const [topic, set] = useState<string>();
	setTopic = set;
	return topic === undefined ? <p>no room</p> : <Room topic={topic} />;
}

function Room({ topic }: { readonly topic: string }): React.ReactNode {
	const { messages, error } = useTopic(client, topic, Said);
	useEffect(() => void reactPage.mounts++, []);
	useLayoutEffect(() => void reactPage.shown.push({ topic, ids: messages.map(({ id }) => id) }), [topic, messages]);
	return (
		<>
			<h1>{topic}</h1>
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
		client = new SocketClient(endpoint);
		const root = document.createElement('main');
		document.body.append(root);
		createRoot(root).render(
			<StrictMode>
				<App />
			</StrictMode>,
		);
		await client.connect();
	},
	goTo: (topic) => setTopic(topic),
};
Object.assign(globalThis, { reactPage });
