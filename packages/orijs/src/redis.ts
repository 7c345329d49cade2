export * from '@orijs/websocket-redis';
