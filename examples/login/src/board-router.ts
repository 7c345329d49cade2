import { SocketRouter } from '@orijs/core';
import { SocketError } from '@orijs/websocket';
import type { Board } from './board.ts';
import {
	NotePosted,
	NoteRemoved,
	NOTES_TOPIC,
	NoteTakenDown,
	PostNote,
	ReadBoard,
	RemoveNote,
	userTopic,
} from './messages.ts';
import type { Online } from './online.ts';
import { type LoggedIn, mayRemove } from './who-may.ts';

/** Handles the messages of logged-in users. */
export function boardRouter(board: Board, online: Online): SocketRouter<LoggedIn> {
	return new SocketRouter<LoggedIn>()
		.on(ReadBoard, ({ state }) => ({ you: state.user, notes: board.notes, online: online.names }))
		.on(PostNote, async (ctx) => {
			const note = board.post(ctx.state.user.name, ctx.data.text);
			await ctx.emit(NotePosted, NOTES_TOPIC, note);
			return { id: note.id };
		})
		.on(
			RemoveNote,
			async (ctx) => {
				const note = board.find(ctx.data.id);
				if (note === undefined) throw new SocketError('no_such_note', 'That note is already gone');
				board.remove(note.id);
				await ctx.emit(NoteRemoved, NOTES_TOPIC, { id: note.id });
				const by = ctx.state.user.name;
				if (by !== note.author) await ctx.emit(NoteTakenDown, userTopic(note.author), { by, text: note.text });
			},
			{ guards: [mayRemove(board)] },
		);
}
