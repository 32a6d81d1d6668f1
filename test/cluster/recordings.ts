// The recordings of a real API server, as data.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export type Recording = {
  readonly name: string;
  readonly request: { readonly method: string; readonly path: string };
  readonly response: {
    readonly status: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly end: 'server closed' | 'client closed';
    readonly chunks: readonly { readonly atMs: number; readonly data: string }[];
  };
};

const folder = join(import.meta.dirname, '../fixtures/recordings');

/** All of them, by name. */
export const recordings: ReadonlyMap<string, Recording> = new Map(
  readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .map((file) => {
      const name = file.replace('.json', '');
      const text = readFileSync(join(folder, file), 'utf8');
      return [name, { name, ...(JSON.parse(text) as Omit<Recording, 'name'>) }];
    }),
);

/** The whole body of a recorded answer. */
export function bodyOf(name: string): string {
  const recording = recordings.get(name);
  if (recording === undefined) throw new Error(`no recording ${name}`);
  return recording.response.chunks.map(({ data }) => data).join('');
}
