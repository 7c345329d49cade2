/** One line of `CLUSTER NODES`, see https://redis.io/docs/latest/commands/cluster-nodes/ */
export interface NodeView {
	readonly id: string;
	readonly port: number;
	readonly busPort: number;
	/** For example `myself`, `master`, `slave`, `fail?`, `fail` or `handshake`. */
	readonly flags: ReadonlySet<string>;
	/** The id of a replica's primary; `undefined` for a primary. */
	readonly primaryId: string | undefined;
	/** The node's epoch. If two nodes claim a slot, the one with the higher epoch owns it. */
	readonly epoch: number;
	readonly connected: boolean;
	/** The ranges of slots that the node owns, each as its first and last slot. */
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
		// Slots that are being moved are in brackets.
		slots: slots.filter((range) => !range.startsWith('[')).map(parseRange),
	};
}

function parseRange(range: string): [number, number] {
	const [first, last = first] = range.split('-').map(Number);
	return [first ?? NaN, last ?? NaN];
}

export function ownerOf(view: ClusterView, slot: number): NodeView | undefined {
	return view.find(({ slots }) => slots.some(([first, last]) => first <= slot && slot <= last));
}

/** Describes the slots or the primary of each node with one of these ids, so that views can be compared. */
export function describeRoles(view: ClusterView, ids: readonly string[]): string {
	const nodes = view.filter(({ id }) => ids.includes(id)).toSorted((one, other) => one.port - other.port);
	const primaryOf = ({ primaryId }: NodeView): number | undefined => view.find(({ id }) => id === primaryId)?.port;
	return nodes.map((node) => `${node.port}: ${node.slots.join(' ') || `replica of ${primaryOf(node)}`}`).join('; ');
}

/** Returns the view that includes the most recent change. */
export function newest(views: readonly ClusterView[]): ClusterView | undefined {
	const latest = (view: ClusterView): number => Math.max(...view.map(({ epoch }) => epoch));
	return views.toSorted((one, other) => latest(other) - latest(one))[0];
}

/**
 * Describes the epoch of each primary that owns slots. A replica that knows only an outdated epoch of its primary gets
 * no votes.
 */
export function describeEpochs(view: ClusterView, ids: readonly string[]): string {
	const primaries = view.filter(({ id, slots }) => slots.length > 0 && ids.includes(id));
	return primaries
		.toSorted((one, other) => one.port - other.port)
		.map(({ port, epoch }) => `${port}: ${epoch}`)
		.join('; ');
}

/** Returns whether two primaries have the same epoch. If so, one of them will soon take a new one. */
export function haveCollision(view: ClusterView): boolean {
	const epochs = view.filter(({ slots }) => slots.length > 0).map(({ epoch }) => epoch);
	return new Set(epochs).size < epochs.length;
}
