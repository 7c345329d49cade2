/**
 * The application's own data for a connection: any object except a promise. If promises were accepted as data, an
 * `async` `upgrade` could return anything and still pass the type check.
 */
export type ConnectionData = object & { readonly then?: never };
