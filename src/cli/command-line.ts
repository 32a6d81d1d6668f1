// argv in, exit code out, whatever goes wrong.
import { parseArgs } from './arguments/args.ts';
import type { FlagValues } from './arguments/flags.ts';
import type { Program } from './commands/command.ts';
import { commands } from './commands/table.ts';
import { SluiceError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import { exitCodes, type Io } from './io.ts';

/** What a command line may touch. */
export type Environment = {
  readonly exec: Exec;
  readonly io: Io;
  readonly program: Program;
  /** Sets whether output has colours, as --color says. */
  readonly setColour: (colour: FlagValues['color']) => void;
};

/** Runs what `argv` (without the program) asks for; an error of ours is lines on standard error. */
export async function runCommandLine(
  argv: readonly string[],
  environment: Environment,
): Promise<number> {
  const { stdout, stderr } = environment.io;
  try {
    if (argv[0] === '__complete') {
      const { completionLines } = await import('./completion/complete.ts');
      stdout.write(completionLines(argv.slice(1)));
      return exitCodes.same;
    }
    return await runParsed(argv, environment);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    for (const line of error.message.split('\n')) stderr.write(`sluice: ${line}\n`);
    return exitCodes.failed;
  }
}

async function runParsed(argv: readonly string[], environment: Environment): Promise<number> {
  const { exec, io, program, setColour } = environment;
  const { command, values, operands, given, warnings } = parseArgs(argv);
  for (const warning of warnings) io.stderr.write(`sluice: warning: ${warning}\n`);
  setColour(values.color);
  const line = { values, given, hostname: program.hostname };
  return command.run({ values, operands, line, exec, io, program, commands });
}
