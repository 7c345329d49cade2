// A process that listens on a Unix socket, to be killed by a test so that its socket file stays behind.

import { answerRequests } from '@orijs/testkit';

const unix = process.env['UNIX_SOCKET'] ?? '';
Bun.serve({ unix, fetch: () => new Response('another process') });
answerRequests(() => 'listening');
