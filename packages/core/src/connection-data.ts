/**
 * The application's own data of a connection: any object but a promise. Without that exception, an `async` function
 * that returns something invalid would pass for one that returns data.
 */
export type ConnectionData = object & { readonly then?: never };
