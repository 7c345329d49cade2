/** A tab whose client keeps its positions in `localStorage`. Its URL has the endpoint, the topics, and a name. */
import { type GapNotice, SocketClient } from '../../src/index.ts';

declare const location: { readonly search: string };

const query = new URLSearchParams(location.search);
const name = String(query.get('name'));
const reader: Reader = { gaps: [], errors: [], isReady: false };
Object.assign(globalThis, { reader });

/** Records a number where it outlives the page, at once. */
function record(number: number): void {
	const key = `received ${name}`;
	localStorage.setItem(key, `${localStorage.getItem(key) ?? ''} ${number}`);
}

const client = new SocketClient(String(query.get('endpoint')), { positions: localStorage });
client.onError(({ message }, stage) => reader.errors.push(`${stage}: ${message}`));
await client.connect();
for (const topic of query.getAll('topic')) {
	await client.subscribe(topic, {
		onMessage: (number) => record(number as number),
		onGap: (gap) => reader.gaps.push(gap),
	});
}
reader.isReady = true;

export interface Reader {
	readonly gaps: GapNotice[];
	readonly errors: string[];
	isReady: boolean;
}
