import { startTcpProxy, type TcpProxy } from '@orijs/testkit';
import type { Bus } from '@orijs/websocket';
import type { BusBackend } from '@orijs/websocket/testing';
import type { RedisOptions } from 'ioredis';
import { proxyConnector } from './proxy-connector.ts';

/**
 * A backend for the conformance suites, with a proxy between each bus and each of the servers.
 *
 * @param ports of the servers, all on this machine
 * @param createBus makes a bus that connects with these options, by the addresses of the servers
 */
export function proxiedBackend(
	ports: readonly number[],
	createBus: (options: Pick<RedisOptions, 'Connector'>) => Bus,
): BusBackend {
	const proxies = new Map<Bus, readonly TcpProxy[]>();
	const proxiesOf = (bus: Bus): readonly TcpProxy[] => proxies.get(bus) ?? [];
	return {
		async createBus() {
			const byPort = new Map<number, TcpProxy>();
			for (const port of ports) byPort.set(port, await startTcpProxy({ port }));
			const bus = createBus({ Connector: proxyConnector(byPort) });
			proxies.set(bus, [...byPort.values()]);
			return bus;
		},
		cut(bus) {
			for (const proxy of proxiesOf(bus)) {
				proxy.refuse(true);
				proxy.cut();
			}
		},
		restore(bus) {
			for (const proxy of proxiesOf(bus)) proxy.refuse(false);
		},
		freeze(bus) {
			for (const proxy of proxiesOf(bus)) proxy.freeze(() => true);
		},
		async close() {
			await Promise.all([...proxies.values()].flat().map((proxy) => proxy.stop()));
		},
	};
}
