import { byId } from '@orijs/examples-shared/element';

const view = byId('login', HTMLElement);
const form = byId('login-form', HTMLFormElement);
const name = byId('name', HTMLInputElement);
const password = byId('password', HTMLInputElement);
const submit = byId('log-in', HTMLButtonElement);
const problem = byId('login-problem', HTMLElement);

export function startLoginForm(onLoggedIn: () => void): void {
	form.addEventListener('submit', (event) => {
		event.preventDefault();
		void logIn(onLoggedIn);
	});
}

/** Shows the login form. @param why a text that explains to the user why it is shown */
export function showLoginForm(why: string): void {
	problem.textContent = why;
	if (!view.hidden) return;
	view.hidden = false;
	(name.value === '' ? name : password).focus();
}

export function hideLoginForm(): void {
	view.hidden = true;
	password.value = '';
}

async function logIn(onLoggedIn: () => void): Promise<void> {
	submit.disabled = true;
	problem.textContent = '';
	try {
		const response = await fetch('/login', {
			method: 'POST',
			headers: { 'Content-Type': 'application/json' },
			body: JSON.stringify({ name: name.value, password: password.value }),
		});
		if (response.ok) onLoggedIn();
		else refused(response);
	} catch {
		problem.textContent = 'The server can’t be reached. Try again.';
	} finally {
		submit.disabled = false;
	}
}

function refused({ status, headers }: Response): void {
	if (status === 429) {
		problem.textContent = `Too many attempts. Try again in ${headers.get('retry-after')} seconds.`;
		return;
	}
	problem.textContent = status === 401 ? 'Wrong name or password.' : 'That did not work. Try again.';
	password.select();
}
