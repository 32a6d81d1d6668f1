// The image's content without Docker: the Dockerfile's stages, run in a folder. In: an empty folder. Out:
// the folder as the image's file system, but for what its base image and its packages bring.
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

/** Runs all stages below `folder`. */
export async function buildImage(folder: string): Promise<Image> {
  let entrypoint: readonly string[] = [];
  for (const { name, instructions } of await readStages()) {
    let directory = join(folder, name);
    for (const { word, rest } of instructions) {
      if (word === 'WORKDIR') directory = join(folder, name, rest);
      await mkdir(directory, { recursive: true });
      if (word === 'COPY') await copy(rest, { folder, name, directory });
      if (word === 'RUN') await run(rest, directory);
      if (word === 'ENTRYPOINT') entrypoint = JSON.parse(rest) as readonly string[];
    }
  }
  return { root: join(folder, 'image'), entrypoint };
}

type Place = { readonly folder: string; readonly name: string; readonly directory: string };

async function copy(rest: string, { folder, name, directory }: Place): Promise<void> {
  const words = rest.split(' ');
  const stage = /^--from=(.+)$/.exec(words[0] ?? '')?.[1];
  const paths = stage === undefined ? words : words.slice(1);
  const destination = paths.pop() ?? '.';
  for (const path of paths) {
    // What a base image brings is not here.
    if (path === '/usr/local/bin/node') continue;
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

async function run(command: string, directory: string): Promise<void> {
  if (command.startsWith('apt-get ')) return;
  if (command.startsWith('npm ci ')) {
    // The same packages by the same lockfile, which are here already.
    await symlink(join(project, 'node_modules'), join(directory, 'node_modules'));
    return;
  }
  await execa('sh', ['-c', command], { cwd: directory });
}
