import { startFrontEnd } from './front-end.ts';
import type { FrontEnd } from './front-end.ts';

/**
 * Starts an nginx. It runs as a single process without root.
 *
 * @param location the directives of `location /`, such as `proxy_pass http://127.0.0.1:3000;`
 * @throws {FrontEndStartError} the configuration is invalid
 */
export function startNginx(location: string): Promise<FrontEnd> {
	return startFrontEnd({
		program: 'nginx',
		config: (port, dir) => configuration(location, port, dir),
		args: (file, dir) => ['-e', 'stderr', '-p', dir, '-c', file],
	});
}

function configuration(location: string, port: number, dir: string): string {
	// By default, only root can write to these folders.
	const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
		.map((name) => `${name}_temp_path ${dir}/${name};`)
		.join('\n');
	return `
daemon off;
# A master process that is killed would leave its workers behind.
master_process off;
pid ${dir}/pid;
error_log stderr info;
events { worker_connections 256; }
http {
	access_log off;
	${temporary}
	server {
		listen 127.0.0.1:${port};
		location / {
			${location}
		}
	}
}
`;
}
