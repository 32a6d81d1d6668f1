// All commands, in the order in which the help lists them: the one table that the parser, the help, the
// completion and the reference are made of.
import { completion, help, options, version } from './about.ts';
import { cleanup } from './cleanup.ts';
import type { Command } from './command.ts';
import { diff } from './diff.ts';
import { doctor } from './doctor.ts';
import { explain } from './explain.ts';
import { lab } from './lab.ts';
import { render } from './render.ts';
import { replay } from './replay.ts';
import { run } from './run.ts';
import { status, top } from './status.ts';
import { rollback, takeover } from './takeover.ts';
import { verify } from './verify.ts';

export const commands: readonly Command[] = [
  run,
  diff,
  explain,
  verify,
  status,
  top,
  replay,
  render,
  cleanup,
  takeover,
  rollback,
  lab,
  doctor,
  completion,
  options,
  version,
  help,
];

/** The command of this name. */
export function commandNamed(text: string): Command | undefined {
  return commands.find(({ name }) => name === text);
}
