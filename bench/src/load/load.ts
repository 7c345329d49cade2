/** The load process, which runs the clients of a measured server. */
import { answerRequests } from '@orijs/testkit/child';
import { RawClients } from './raw-clients.ts';
import type { LoadRequest } from './requests.ts';

const groups = new Map<string, RawClients>();

function groupOf(name: string): RawClients {
	const group = groups.get(name) ?? new RawClients();
	groups.set(name, group);
	return group;
}

answerRequests((body): unknown => {
	const request = body as LoadRequest;
	const group = groupOf(request.group);
	switch (request.do) {
		case 'connect':
			return group.connect(request);
		case 'start-counting':
			return group.startCounting(request);
		case 'wait-for-bytes':
			return group.waitForBytes(request);
		case 'latencies':
			return group.latencies();
		case 'probe':
			return group.probe(request.request);
		case 'drive':
			return group.drive(request);
		case 'close':
			group.close();
			return groups.delete(request.group);
	}
});
