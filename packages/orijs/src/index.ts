export * from '@orijs/core';
export * from '@orijs/websocket';
export * from '@orijs/websocket-client';
