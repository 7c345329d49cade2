import type { Bus } from '../bus.ts';
import { MemoryBackend } from '../testing/index.ts';
import { type NodeOptions, openNode, type TestNode } from './test-node.ts';

export interface TestCluster {
	readonly backend: MemoryBackend;
	readonly nodes: readonly TestNode[];
	/** The bus of each node. */
	readonly buses: readonly Bus[];
}

/** Opens several nodes on one backend in memory, which can freeze connections. Their clients speak the protocol. */
export async function openCluster(count: number, options: Omit<NodeOptions, 'bus'> = {}): Promise<TestCluster> {
	const backend = new MemoryBackend({ liveness: true });
	const buses = Array.from({ length: count }, () => backend.createBus());
	const nodes: TestNode[] = [];
	for (const bus of buses) nodes.push(await openNode({ subprotocol: 'orijs.1', heartbeatMs: 100, ...options, bus }));
	return { backend, nodes, buses };
}

/** Opens two nodes; see {@link openCluster}. */
export async function openPair(
	options?: Omit<NodeOptions, 'bus'>,
): Promise<readonly [here: TestNode, there: TestNode]> {
	const { nodes } = await openCluster(2, options);
	return nodes as [TestNode, TestNode];
}
