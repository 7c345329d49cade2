/** Whether a server can listen on the port. */
export async function isPortFree(port: number): Promise<boolean> {
	try {
		const server = Bun.serve({ port, fetch: () => new Response() });
		await server.stop(true);
		return true;
	} catch (error) {
		if ((error as { code?: unknown }).code === 'EADDRINUSE') return false;
		throw error;
	}
}
