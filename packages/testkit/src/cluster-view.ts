/** One line of `CLUSTER NODES`: https://redis.io/docs/latest/commands/cluster-nodes/ */
export interface NodeView {
	readonly id: string;
	readonly port: number;
	readonly busPort: number;
	/** `myself`, `master`, `slave`, `fail?`, `fail`, `handshake`, … */
	readonly flags: ReadonlySet<string>;
	/** Of a replica. */
	readonly primaryId: string | undefined;
	/** The higher one owns a slot that two claim. */
	readonly epoch: number;
	readonly connected: boolean;
	/** First and last of each range. */
	readonly slots: readonly (readonly [number, number])[];
}

/** The cluster as one node sees it. */
export type ClusterView = readonly NodeView[];

export function parseView(text: string): ClusterView {
	return text
		.trim()
		.split('\n')
		.map((line) => parseNode(line.split(' ')));
}

function parseNode([id = '', address = '', flags = '', primary = '-', , , epoch, link, ...slots]: string[]): NodeView {
	const [, port, busPort] = /:(\d+)@(\d+)/.exec(address) ?? [];
	return {
		id,
		port: Number(port),
		busPort: Number(busPort),
		flags: new Set(flags.split(',')),
		primaryId: primary === '-' ? undefined : primary,
		epoch: Number(epoch),
		connected: link === 'connected',
		slots: slots.filter((range) => !range.startsWith('[')).map(parseRange), // In brackets: slots on the move.
	};
}

function parseRange(range: string): [number, number] {
	const [first, last = first] = range.split('-').map(Number);
	return [first ?? NaN, last ?? NaN];
}

export function ownerOf(view: ClusterView, slot: number): NodeView | undefined {
	return view.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
}

/** Who owns what and who follows whom, for comparing views; `ids`: of which nodes. */
export function describeRoles(view: ClusterView, ids: readonly string[]): string {
	const nodes = view.filter(({ id }) => ids.includes(id)).toSorted((one, other) => one.port - other.port);
	const primaryOf = ({ primaryId }: NodeView): number | undefined => view.find(({ id }) => id === primaryId)?.port;
	return nodes.map((node) => `${node.port}: ${node.slots.join(' ') || `replica of ${primaryOf(node)}`}`).join('; ');
}

/** The one that knows of the latest change. */
export function newest(views: readonly ClusterView[]): ClusterView | undefined {
	const latest = (view: ClusterView): number => Math.max(...view.map(({ epoch }) => epoch));
	return views.toSorted((one, other) => latest(other) - latest(one))[0];
}

/** The epoch of each primary that owns slots. A replica whose view of its primary's is out of date gets no votes for its place. */
export function describeEpochs(view: ClusterView, ids: readonly string[]): string {
	const primaries = view.filter(({ id, slots }) => slots.length > 0 && ids.includes(id));
	return primaries
		.toSorted((one, other) => one.port - other.port)
		.map(({ port, epoch }) => `${port}: ${epoch}`)
		.join('; ');
}

/** Two primaries with one epoch: one of them is about to take a new one. */
export function haveCollision(view: ClusterView): boolean {
	const epochs = view.filter(({ slots }) => slots.length > 0).map(({ epoch }) => epoch);
	return new Set(epochs).size < epochs.length;
}
