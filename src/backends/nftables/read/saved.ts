// A saved ruleset in nft's own language, read by nft itself: loaded into a network namespace that
// lives for this one command, and listed there. This machine's own rules are neither read nor changed.
import type { Exec } from '../../../host/tools/exec.ts';
import type { Family } from '../../../model/ip.ts';
import { familyWords, tableName } from '../schema.ts';

/** The `nft -j` listing of our table in one family; throws where `saved` is no ruleset. */
export async function listSaved(exec: Exec, family: Family, saved: string): Promise<string> {
  if (!saved.trimStart().startsWith('{')) return listSavedText(exec, family, saved);
  const { nftables } = JSON.parse(saved) as { nftables?: readonly Item[] };
  if (!Array.isArray(nftables)) throw new Error('this JSON is not what nft -j prints');
  return nftables.some(({ add }) => add !== undefined) ? listingOf(nftables) : saved;
}

type Item = { readonly add?: Item; readonly element?: Elements } & {
  readonly [kind in 'set' | 'map']?: Elements;
};
type Elements = {
  readonly family: string;
  readonly table: string;
  readonly name: string;
  readonly elem?: readonly unknown[];
};

// Our own rendering is commands, and has the elements beside their sets; a listing has them inside.
function listingOf(commands: readonly Item[]): string {
  const added = commands.flatMap(({ add }) => add ?? []);
  const nameOf = ({ family, table, name }: Elements): string => `${family} ${table} ${name}`;
  const elements = Map.groupBy(
    added.flatMap(({ element }) => element ?? []),
    nameOf,
  );
  const filled = (container: Elements): Elements => ({
    ...container,
    elem: (elements.get(nameOf(container)) ?? []).flatMap(({ elem = [] }) => elem),
  });
  const nftables = added.map((item) => {
    if (item.set !== undefined) return { set: filled(item.set) };
    return item.map === undefined ? item : { map: filled(item.map) };
  });
  return JSON.stringify({ nftables });
}

/** What `nft list ruleset` printed, or our own rendering. */
async function listSavedText(exec: Exec, family: Family, saved: string): Promise<string> {
  if (!isRuleset(saved)) throw new Error('this is neither what nft prints nor a rendering');
  const table = `${familyWords[family].table} ${tableName}`;
  const ours = linesAbout(table, saved);
  if (ours.length === 0) return '{"nftables":[]}';
  const script = `nft -f - && nft -j list table ${table}`;
  const { stdout } = await exec('unshare', ['--net', 'sh', '-c', script], {
    input: ours.join('\n'),
  });
  return stdout;
}

// An empty kernel is listed as nothing at all; all else has a line that begins as these do.
function isRuleset(saved: string): boolean {
  const lines = saved.split('\n').filter((line) => line.trim() !== '' && !line.startsWith('#'));
  return lines.length === 0 || lines.some((line) => /^((add|create) )?table [a-z0-9]/.test(line));
}

// A listing has our table as a block that ends at the first column; a rendering, a command a line.
function linesAbout(table: string, saved: string): readonly string[] {
  const lines: string[] = [];
  let isInBlock = false;
  for (const line of saved.split('\n')) {
    if (line.startsWith(`table ${table} {`)) isInBlock = true;
    if (isInBlock || line.includes(` ${table}`)) lines.push(withNumericPriority(line));
    if (line === '}') isInBlock = false;
  }
  return lines.length === 0 ? [] : [...lines, ''];
}

// nft 1.1 lists this name at the hook output too, where nft 1.0 takes numbers alone.
function withNumericPriority(line: string): string {
  return line.replace(
    /(hook output priority) dstnat(?: ([+-]) (\d+))?/,
    (_, place: string, sign = '+', distance = '0') => `${place} ${-100 + Number(sign + distance)}`,
  );
}
