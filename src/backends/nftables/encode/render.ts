// A whole Program as input of nft for people: it replaces our table, so that it can be loaded again. Pure.
import type { Family } from '../../../model/ip.ts';
import { plan } from '../../../netfilter/plan.ts';
import type { Program } from '../../../netfilter/program.ts';
import { familyWords, tableName } from '../schema.ts';
import { transactionOf } from '../transaction.ts';
import type { NftUnit } from '../unit.ts';
import { encodeJson } from './encode-json.ts';
import { encodeText } from './encode-text.ts';

/** The input, with a header that says what it is. */
export function renderWhole(
  family: Family,
  program: Program<NftUnit>,
  form: 'json' | 'text',
): string {
  const transaction = transactionOf(plan(new Map(), program));
  const word = familyWords[family].table;
  // To delete a table that is not there is an error, to add one that is there is none.
  if (form === 'text') {
    const header = `# ${family} rules of Sluice, for nft -f: they replace what is in this table.`;
    const renew = ['add', 'delete'].map((verb) => `${verb} table ${word} ${tableName}`);
    return [header, ...renew, encodeText(family, transaction)].join('\n');
  }
  const table = { family: word, name: tableName };
  const { nftables } = JSON.parse(encodeJson(family, transaction)) as { nftables: unknown[] };
  const what = `${family} rules of Sluice, for nft -j -f: they replace what is in this table`;
  const commands = [
    { metainfo: { json_schema_version: 1, release_name: what } },
    { add: { table } },
    { delete: { table } },
    ...nftables,
  ];
  return `{"nftables":[\n${commands.map((one) => JSON.stringify(one)).join(',\n')}\n]}\n`;
}
