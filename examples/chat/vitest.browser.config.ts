export { default } from '../../vitest.browser.shared.ts';
