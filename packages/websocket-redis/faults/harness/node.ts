import type { ScriptProcess } from '@orijs/testkit';
import type { NodeReport, NodeRequest } from '../node/protocol.ts';

/** A node of a run: its process, and what it can be asked. */
export interface FaultNode {
	readonly name: string;
	readonly url: string;
	readonly process: ScriptProcess;
	ask<Reply = void>(request: NodeRequest): Promise<Reply>;
	report(): Promise<NodeReport>;
}
