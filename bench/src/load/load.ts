/** The load process: all clients of all servers that are measured. */
import { answerRequests } from '@orijs/testkit/child';
import { Crowd } from './crowd.ts';
import type { LoadRequest } from './requests.ts';

const crowds = new Map<string, Crowd>();

function crowdOf(name: string): Crowd {
	const crowd = crowds.get(name) ?? new Crowd();
	crowds.set(name, crowd);
	return crowd;
}

answerRequests((body): unknown => {
	const request = body as LoadRequest;
	const crowd = crowdOf(request.crowd);
	switch (request.do) {
		case 'connect':
			return crowd.connect(request);
		case 'begin':
			return crowd.begin(request);
		case 'await':
			return crowd.arrival(request);
		case 'latencies':
			return crowd.latencies();
		case 'probe':
			return crowd.probe(request.request);
		case 'drive':
			return crowd.drive(request);
		case 'close':
			crowd.close();
			return crowds.delete(request.crowd);
	}
});
