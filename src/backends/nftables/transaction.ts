// A plan in the order in which nft carries it out: what is referred to comes before what refers to
// it, and leaves after it. Pure; encode-text and encode-json spell the result.
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { ClientChanges } from './clients.ts';
import { containers, slotMapNamed } from './schema.ts';
import type { ChainUnit, ContainerUnit, ElementUnit, NftUnit } from './unit.ts';

/** Elements of one set or map. */
export type ElementBatch = {
  readonly container: string;
  readonly elements: readonly ElementUnit[];
};

/** The commands of one transaction, in order. */
export type Transaction = {
  /** Delete the table first, with all that is in it. */
  readonly deleteTable: boolean;
  readonly addTable: boolean;
  readonly addContainers: readonly ContainerUnit[];
  readonly addChains: readonly ChainUnit[];
  readonly flushChains: readonly ChainUnit[];
  /** Chains whose rules are written: all of addChains, and those that were there and are flushed. */
  readonly fillChains: readonly ChainUnit[];
  /** Clients that are deleted next: each is added as it is, as it may have left meanwhile. */
  readonly refreshElements: readonly ElementBatch[];
  readonly deleteElements: readonly ElementBatch[];
  readonly addElements: readonly ElementBatch[];
  readonly deleteChains: readonly ChainUnit[];
  readonly deleteContainers: readonly ContainerUnit[];
};

// Large enough that nft's cost for a command does not show, small enough that an error's position
// names few Services.
const batchSize = 500;

/** Orders the steps of `plan`, with what it means for clients that are remembered. */
export function transactionOf(
  plan: Plan<NftUnit>,
  { forgotten, carried }: ClientChanges = { forgotten: [], carried: [] },
): Transaction {
  const deletesTable = plan.some((step) => step.op === 'delete' && step.was.kind === 'table');
  const replacesTable = plan.some((step) => step.op === 'replace' && step.unit.kind === 'table');
  const created = plan.filter((step) => step.op === 'create').map(({ unit }) => unit);
  const replaced = plan.filter((step) => step.op === 'replace');
  const deleted = plan.filter((step) => step.op === 'delete').map(({ was }) => was);
  const withTable = deletesTable || replacesTable ? [] : deleted;
  const present = replaced.map(({ unit }) => unit);
  const leaving = [...withTable, ...replaced.map(({ was }) => was)];
  return {
    deleteTable: deletesTable || replacesTable,
    addTable: replacesTable || created.some(({ kind }) => kind === 'table'),
    addContainers: created.filter((unit) => isContainer(unit)),
    addChains: created.filter((unit) => unit.kind === 'chain'),
    flushChains: present.filter((unit) => unit.kind === 'chain'),
    fillChains: [...created, ...present].filter((unit) => unit.kind === 'chain'),
    refreshElements: batches(forgotten),
    deleteElements: batches([...leaving.filter((unit) => unit.kind === 'element'), ...forgotten]),
    addElements: batches([
      ...[...present, ...created].filter((unit) => unit.kind === 'element'),
      ...carried,
    ]),
    deleteChains: withTable.filter((unit) => unit.kind === 'chain'),
    deleteContainers: withTable.filter((unit) => isContainer(unit)),
  };
}

// Nft needs some 1.7 kB of memory for each: 600 MB for 50,000 Services of 5 endpoints in one transaction,
// 46 MB so, and a fifth less time (measured with nft 1.0.6).
const partSize = 20_000;

/**
 * The transactions in which a table of ours is loaded that is not there yet; any other one stays whole. What the
 * cluster itself runs on comes first. What is led to comes before what leads to it, so that no frontend is met by
 * packets before its endpoints are there; and last which addresses are ClusterIPs, as the ports of these that lead
 * nowhere are refused.
 */
export function partsOf(transaction: Transaction): readonly Transaction[] {
  const { addTable, deleteTable, addElements } = transaction;
  if (!addTable || deleteTable) return [transaction];
  const { system = [], others: rest = [] } = Object.groupBy(
    addElements.flatMap(({ elements }) => elements),
    ({ owner }) => (isSystem(owner) ? 'system' : 'others'),
  );
  const ordered = [system, rest].flatMap((elements) =>
    batches(elements).toSorted((one, other) => placeOf(one) - placeOf(other)),
  );
  const perPart = partSize / batchSize;
  const parts = Array.from({ length: Math.ceil(ordered.length / perPart) }, (_, index) =>
    ordered.slice(index * perPart, (index + 1) * perPart),
  );
  const [first = [], ...others] = parts;
  return [
    { ...transaction, addElements: first },
    ...others.map((batch) => ({ ...nothing, addElements: batch })),
  ];
}

/** Whether it is the API server's Service, or one of those that a cluster needs for all others. */
function isSystem(owner: ServiceKey | undefined): boolean {
  return owner === 'default/kubernetes' || owner?.startsWith('kube-system/') === true;
}

function placeOf({ container }: ElementBatch): number {
  if (container === containers.clusterIps.name) return 2;
  const isLedTo = container === containers.hairpinConnections.name;
  return isLedTo || slotMapNamed(container) !== undefined ? 0 : 1;
}

const nothing: Transaction = {
  deleteTable: false,
  addTable: false,
  addContainers: [],
  addChains: [],
  flushChains: [],
  fillChains: [],
  refreshElements: [],
  deleteElements: [],
  addElements: [],
  deleteChains: [],
  deleteContainers: [],
};

function isContainer(unit: NftUnit): unit is ContainerUnit {
  return unit.kind === 'set' || unit.kind === 'map';
}

function batches(elements: readonly ElementUnit[]): ElementBatch[] {
  const byContainer = Map.groupBy(elements, ({ container }) => container);
  return [...byContainer].flatMap(([container, group]) =>
    Array.from({ length: Math.ceil(group.length / batchSize) }, (_, index) => ({
      container,
      elements: group.slice(index * batchSize, (index + 1) * batchSize),
    })),
  );
}
