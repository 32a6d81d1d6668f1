// Command lines one after the other, and all that they print, as a person at a terminal sees it: `$` and what was
// typed, standard output, standard error with `2>` before each line, and the exit code.
import { commandLine, type Around, type Outcome } from './command-line.ts';

export type Session = {
  /** Runs one command line to its end, and writes it down. */
  readonly run: (argv: readonly string[], around?: Around) => Promise<Outcome>;
  /** All so far. */
  readonly text: () => string;
};

/** A session; `masked` are what differs from run to run, with what is written in its place. */
export function session(
  always: Around,
  masked: readonly (readonly [what: string | RegExp, by: string])[] = [],
): Session {
  const written: string[] = [];
  const mask = (text: string): string =>
    masked.reduce((now, [what, by]) => now.replaceAll(what, by), text);
  return {
    async run(argv, around) {
      const outcome = await commandLine(argv, { ...always, ...around });
      const { exitCode, stdout, stderr } = outcome;
      const complaints = stderr.replaceAll(/^(?=.)/gm, '2> ');
      written.push(
        mask(`$ sluice ${argv.join(' ')}\n${stdout}${complaints}exit code ${exitCode}\n`),
      );
      return outcome;
    },
    text: () => written.join('\n'),
  };
}
