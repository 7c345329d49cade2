import type { User } from './messages.ts';

/** A new user, with their password. */
export interface NewUser extends User {
	readonly password: string;
}

/** Users for trying out the example. Their passwords are public, so don't expose a server that has them. */
export const DEMO_USERS: readonly NewUser[] = [
	{ name: 'ada', role: 'admin', password: 'analytical-engine' },
	{ name: 'grace', role: 'member', password: 'nanoseconds' },
	{ name: 'linus', role: 'member', password: 'just-for-fun' },
];

interface Account {
	readonly user: User;
	readonly passwordHash: string;
}

/** Stores the users, with hashes instead of passwords. */
export class Users {
	readonly #accounts: ReadonlyMap<string, Account>;
	/** The hash of a random password, against which the passwords for unknown names are checked. */
	readonly #nobodysHash: string;

	private constructor(accounts: ReadonlyMap<string, Account>, nobodysHash: string) {
		this.#accounts = accounts;
		this.#nobodysHash = nobodysHash;
	}

	static async create(newUsers: readonly NewUser[]): Promise<Users> {
		const accounts = new Map<string, Account>();
		for (const { name, role, password } of newUsers) {
			accounts.set(name, { user: { name, role }, passwordHash: await Bun.password.hash(password) });
		}
		return new Users(accounts, await Bun.password.hash(crypto.randomUUID()));
	}

	/**
	 * Returns the user with this name and password. An unknown name takes as long as a wrong password, so that the two
	 * can't be told apart.
	 */
	async verify(name: string, password: string): Promise<User | undefined> {
		const account = this.#accounts.get(name);
		const matches = await Bun.password.verify(password, account?.passwordHash ?? this.#nobodysHash);
		return matches ? account?.user : undefined;
	}
}
