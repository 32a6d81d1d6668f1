// Where one looks in the rows of `sluice top`, and what a key does to that. Pure.

/** The first row on the screen, and which Services are shown. */
export type TopView = {
  readonly from: number;
  /** A part of the Service's name, in capitals or not; '' for all. */
  readonly filter: string;
  /** The filter is being typed: letters are no commands. */
  readonly isTyping: boolean;
};

/** From the top, all Services. */
export const wholeView: TopView = { from: 0, filter: '', isTyping: false };

/** A key as node:readline names it; `text` is what it types. */
export type Key = {
  readonly name?: string | undefined;
  readonly text?: string | undefined;
  readonly ctrl?: boolean | undefined;
};

/** How many rows there are, and fit on a screen. */
export type Extent = { readonly rows: number; readonly page: number };

/** The view after a key; 'end' where the key ends it all. */
export function afterKey(view: TopView, key: Key, extent: Extent): TopView | 'end' {
  if (key.ctrl === true && key.name === 'c') return 'end';
  if (view.isTyping) return afterTyped(view, key);
  if (key.text === 'q' || key.text === 'Q') return 'end';
  if (key.text === '/') return { ...view, isTyping: true };
  if (key.name === 'escape') return wholeView;
  const last = Math.max(extent.rows - extent.page, 0);
  const row = targetOf(key, Math.min(view.from, last), { ...extent, last });
  return { ...view, from: Math.max(Math.min(row, last), 0) };
}

function afterTyped(view: TopView, { name, text = '', ctrl = false }: Key): TopView {
  if (name === 'escape') return wholeView;
  if (name === 'return' || name === 'enter') return { ...view, isTyping: false };
  if (name === 'backspace') return { ...view, from: 0, filter: view.filter.slice(0, -1) };
  const isText = !ctrl && /^[ -~]+$/.test(text);
  return isText ? { ...view, from: 0, filter: view.filter + text } : view;
}

/** The row that a key leads to, which may be past either end; the keys are those of less(1). */
function targetOf(
  { name, text }: Key,
  from: number,
  { page, last }: { readonly page: number; readonly last: number },
): number {
  if (name === 'up' || text === 'k') return from - 1;
  if (name === 'down' || text === 'j') return from + 1;
  if (name === 'pageup' || text === 'b') return from - page;
  if (name === 'pagedown' || text === ' ') return from + page;
  if (name === 'home' || text === 'g') return 0;
  return name === 'end' || text === 'G' ? last : from;
}
