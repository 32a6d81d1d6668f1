// argv in, exit code out, whatever goes wrong.
import { logFormatOf, parseArgs } from './arguments/args.ts';
import type { FlagValues } from './arguments/flags.ts';
import type { Program } from './commands/command.ts';
import { commands } from './commands/table.ts';
import { SluiceError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import { logComplaints, plainComplaints, type Complaints } from './complaints.ts';
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
  let complaints = plainComplaints(stderr);
  try {
    if (argv[0] === '__complete') {
      const { completionLines } = await import('./completion/complete.ts');
      stdout.write(completionLines(argv.slice(1)));
      return exitCodes.same;
    }
    const format = logFormatOf(argv);
    if (format !== undefined) complaints = await logComplaints(stderr, format);
    return await runParsed(argv, environment, complaints);
  } catch (error) {
    if (!(error instanceof SluiceError)) throw error;
    for (const line of error.message.split('\n')) complaints.fatal(line);
    return exitCodes.failed;
  }
}

async function runParsed(
  argv: readonly string[],
  environment: Environment,
  complaints: Complaints,
): Promise<number> {
  const { exec, io, program, setColour } = environment;
  const { command, values, operands, given, warnings } = parseArgs(argv);
  for (const warning of warnings) complaints.warn(warning);
  setColour(values.color);
  const line = { values, given, hostname: program.hostname };
  return command.run({ values, operands, line, exec, io, complaints, program, commands });
}
