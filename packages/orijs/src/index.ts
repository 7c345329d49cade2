export * from '@orijs/core';
export * from '@orijs/websocket';
