export * from '@orijs/websocket-client';
