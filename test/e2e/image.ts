// The image's content without Docker: the commands of the Dockerfile's stages, run in a folder. In: an empty
// folder. Out: the folder as the image's file system, but for what its base image and its packages bring.
import { cp, mkdir, readFile, symlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';

const project = resolve(import.meta.dirname, '../..');

/** One line of a Dockerfile, continuations joined. */
export type Instruction = { readonly word: string; readonly rest: string };

/** A stage of a Dockerfile. */
export type Stage = {
  readonly base: string;
  readonly name: string;
  readonly instructions: readonly Instruction[];
};

export type Image = {
  /** Its file system. */
  readonly root: string;
  readonly entrypoint: readonly string[];
};

// Any other instruction would be left out without a word.
const known = ['WORKDIR', 'COPY', 'RUN', 'ENTRYPOINT', 'CMD'];

/** The stages of the project's Dockerfile. */
export async function readStages(): Promise<readonly Stage[]> {
  const text = await readFile(join(project, 'Dockerfile'), 'utf8');
  const lines = text
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: { base: string; name: string; instructions: Instruction[] }[] = [];
  for (const line of lines) {
    const [, word = '', rest = ''] = /^(\w+)\s+(.*)$/.exec(line) ?? [];
    const [, base, name = 'image'] = /^(\S+)(?: AS (\S+))?$/.exec(rest) ?? [];
    if (word === 'FROM') stages.push({ base: base ?? '', name, instructions: [] });
    else stages.at(-1)?.instructions.push({ word, rest: rest.replaceAll(/\s+/g, ' ') });
  }
  return stages;
}

/** The Debian packages that the image gets, by its Dockerfile. */
export async function readPackages(): Promise<readonly string[]> {
  const stages = await readStages();
  const commands = stages.flatMap(({ instructions }) => instructions).filter(isAptGet);
  return commands.flatMap(({ rest }) => {
    const [, words = ''] = /apt-get install ([^&]+)/.exec(rest) ?? [];
    return words.split(' ').filter((word) => /^[a-z]/.test(word));
  });
}

// Changes the machine that it runs on, so it is only read here.
function isAptGet({ word, rest }: Instruction): boolean {
  return word === 'RUN' && rest.startsWith('apt-get ');
}

/**
 * Runs all stages below `folder`. `npm ci` is run as well, or, as it takes long, stands for the packages
 * that are installed here by the same lockfile.
 */
export async function buildImage(
  folder: string,
  { npmCi }: { readonly npmCi: 'run' | 'linked' } = { npmCi: 'linked' },
): Promise<Image> {
  let entrypoint: readonly string[] = [];
  for (const { name, instructions } of await readStages()) {
    let directory = join(folder, name);
    for (const instruction of instructions) {
      const { word, rest } = instruction;
      if (!known.includes(word)) throw new Error(`${word} ${rest}: not known here`);
      if (word === 'WORKDIR') directory = join(folder, name, rest);
      await mkdir(directory, { recursive: true });
      if (word === 'COPY') await copy(rest, { folder, name, directory });
      if (word === 'RUN' && !isAptGet(instruction)) await run(rest, { directory, npmCi });
      if (word === 'ENTRYPOINT') entrypoint = JSON.parse(rest) as readonly string[];
    }
  }
  return { root: join(folder, 'image'), entrypoint };
}

type CopyTarget = { readonly folder: string; readonly name: string; readonly directory: string };

async function copy(rest: string, { folder, name, directory }: CopyTarget): Promise<void> {
  const words = rest.split(' ');
  const stage = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  const paths = stage === undefined ? words : words.slice(1);
  const destination = paths.pop() ?? '.';
  for (const path of paths) {
    // The base image of that stage is not here, but the same Node is.
    if (path === '/usr/local/bin/node') {
      await mkdir(dirname(join(folder, name, destination)), { recursive: true });
      await symlink(process.execPath, join(folder, name, destination));
      continue;
    }
    const from = stage === undefined ? await inContext(path) : join(folder, stage, path);
    const at = destination.startsWith('/') ? join(folder, name) : directory;
    const to = destination === './' ? join(at, path) : join(at, destination);
    await mkdir(dirname(to), { recursive: true });
    await cp(from, to, { recursive: true });
  }
}

/** A path of the build context; throws where .dockerignore keeps it out. */
async function inContext(path: string): Promise<string> {
  const ignored = await readFile(join(project, '.dockerignore'), 'utf8');
  if (!ignored.split('\n').includes(`!${path}`)) throw new Error(`.dockerignore keeps ${path} out`);
  return join(project, path);
}

type Running = { readonly directory: string; readonly npmCi: 'run' | 'linked' };

async function run(command: string, { directory, npmCi }: Running): Promise<void> {
  if (command.startsWith('npm ci ') && npmCi === 'linked') {
    await symlink(join(project, 'node_modules'), join(directory, 'node_modules'));
    return;
  }
  // With the Node of the base image, and with what was fetched for this checkout where it is still there.
  const path = `${dirname(process.execPath)}:${process.env['PATH']}`;
  const env = { PATH: path, npm_config_prefer_offline: 'true' };
  await execa('sh', ['-c', command], { cwd: directory, env });
}
