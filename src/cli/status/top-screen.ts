// `sluice top` on a terminal: draws each reading, and again at each key, until somebody has had enough.
import { emitKeypressEvents, type Key as TypedKey } from 'node:readline';
import type { ReadStream } from 'node:tty';
import type { Io } from '../io.ts';
import { screenOf } from '../report/screen.ts';
import { topScreen, type Reading, type TopScreen } from './top-text.ts';
import { afterKey, wholeView, type Key } from './top-view.ts';

const clear = '\u001B[H\u001B[J';

/** Shows the readings as they come, and calls `end` at q or Ctrl-C. */
export async function showReadings(
  readings: AsyncIterable<Reading>,
  { stdin, stdout }: Pick<Io, 'stdin' | 'stdout'>,
  end: () => void,
): Promise<void> {
  let view = wholeView;
  let latest: Reading | undefined;
  let shown: TopScreen = { text: '', rows: 0, page: 1 };
  const draw = (): void => {
    if (latest === undefined) return;
    shown = topScreen(latest, view, screenOf(stdout));
    stdout.write(`${clear}${shown.text}`);
  };
  const leave = onKey(stdin, (key) => {
    const next = afterKey(view, key, shown);
    if (next === 'end') return end();
    view = next;
    draw();
  });
  stdout.on('resize', draw);
  try {
    for await (latest of readings) draw();
  } finally {
    leave();
    stdout.off('resize', draw);
    stdout.write('\n');
  }
}

/** Hands over each key; returns what gives the terminal back. */
function onKey(stdin: NodeJS.ReadableStream, take: (key: Key) => void): () => void {
  if (!('setRawMode' in stdin)) return () => {};
  const terminal = stdin as ReadStream;
  const onPress = (text: string | undefined, { name, ctrl }: TypedKey): void =>
    take({ name, text, ctrl });
  emitKeypressEvents(terminal);
  terminal.setRawMode(true);
  terminal.on('keypress', onPress);
  terminal.resume();
  return () => {
    terminal.off('keypress', onPress);
    terminal.setRawMode(false);
    terminal.pause();
  };
}
