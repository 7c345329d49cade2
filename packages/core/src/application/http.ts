import type { SocketData } from '@orijs/websocket';

/**
 * HTTP routes in the form of `Bun.serve`: a path, and a response or handler, or one per method.
 *
 * @typeParam TPath the paths, from which the parameters of a request are known
 */
export type Routes<TPath extends string = string> = Bun.Serve.Routes<SocketData, TPath>;

/** Where to listen. */
export interface ListenOptions {
	/** 0 takes any free port. Default 3000, whatever the environment says. */
	readonly port?: number;
	/** Default: every interface. */
	readonly hostname?: string;
	readonly tls?: Bun.TLSOptions;
	/** Bun's development mode, for applications with HTML imports. Default: as Bun decides from `NODE_ENV`. */
	readonly development?: Bun.Serve.Development;
	/** Lets several processes share a port, on Linux. */
	readonly reusePort?: boolean;
}
