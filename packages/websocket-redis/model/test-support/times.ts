// Tells the time.

import { answerRequests } from '@orijs/testkit';
import { trueNow } from '../record/true-time.ts';

answerRequests(() => ({ clock: Date.now(), true: trueNow() }));
