// A transaction in nft's own language, one command a line, so that an error's line names its command.
import type { Family } from '../../../model/ip.ts';
import { declarationText } from '../declaration.ts';
import { familyWords, tableName } from '../schema.ts';
import type { ElementBatch, Transaction } from '../transaction.ts';
import { elementText, hookText, ruleText } from '../unit.ts';

/** The input of `nft -f -` for this transaction; '' where there is nothing to do. */
export function encodeText(family: Family, transaction: Transaction, table = tableName): string {
  const lines = commands(family, transaction, `${familyWords[family].table} ${table}`);
  return [...lines].map((line) => `${line}\n`).join('');
}

function* commands(family: Family, transaction: Transaction, at: string): Generator<string> {
  yield* [
    ...(transaction.deleteTable ? [`delete table ${at}`] : []),
    ...(transaction.addTable ? [`add table ${at}`] : []),
    ...transaction.addContainers.map(
      ({ kind, container }) =>
        `add ${kind} ${at} ${container.name} { ${declarationText(family, container)} }`,
    ),
    ...transaction.addChains.map(({ name, hook }) =>
      hook === undefined
        ? `add chain ${at} ${name}`
        : `add chain ${at} ${name} { ${hookText(hook)} }`,
    ),
    ...transaction.flushChains.map(({ name }) => `flush chain ${at} ${name}`),
    ...transaction.fillChains.flatMap(({ name, rules }) =>
      rules.map((rule) => `add rule ${at} ${name} ${ruleText(rule)}`),
    ),
  ];
  for (const batch of transaction.refreshElements) yield elements('add', at, batch);
  for (const batch of transaction.deleteElements) yield elements('delete', at, batch);
  for (const batch of transaction.addElements) yield elements('add', at, batch);
  yield* [
    ...transaction.deleteChains.map(({ name }) => `flush chain ${at} ${name}`),
    ...transaction.deleteChains.map(({ name }) => `delete chain ${at} ${name}`),
    ...transaction.deleteContainers.map(
      ({ kind, container }) => `delete ${kind} ${at} ${container.name}`,
    ),
  ];
}

function elements(verb: 'add' | 'delete', at: string, batch: ElementBatch): string {
  const spelled = batch.elements.map((element) =>
    verb === 'add' ? elementText(element) : element.key,
  );
  return `${verb} element ${at} ${batch.container} { ${spelled.join(', ')} }`;
}
