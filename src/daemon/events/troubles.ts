// What is wrong with this node as a whole: each is told once when it begins, and once when it is over, in the log and
// as an Event of the Node. Meanwhile `status`, the page and a metric show it.
import type { Logger } from 'pino';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { NodeTrouble, TroubleKind } from '../../model/daemon-status.ts';
import type { Family } from '../../model/ip.ts';
import { nodeRegarding } from './proxy-events.ts';

/** What Troubles works with. */
export type TroublesOptions = {
  readonly nodeName: string;
  readonly log: Logger;
  readonly record: RecordEvent;
};

/** How one kind of trouble is, of the node or of one family. */
type State = {
  readonly kind: TroubleKind;
  readonly family?: Family;
  /** What is wrong, and what that means, in one line; '' where nothing is. */
  readonly note: string;
  /** What the log says, and with which fields; the note without one. */
  readonly logged?: { readonly fields: object; readonly message: string };
};

const over: Readonly<Record<TroubleKind, string>> = {
  NoNode: 'the Node of this name is there now',
  NodeAddresses: 'an interface of this host has an address of the Node again',
  RepairLoop: 'repairs hold again: the next one comes at once',
  OtherProxy: "another proxy's rules are not here any more",
};

/** Invariant: #now has each trouble that began and is not over, by kind and family. */
export class Troubles {
  readonly #options: TroublesOptions;
  readonly #now = new Map<string, NodeTrouble>();

  constructor(options: TroublesOptions) {
    this.#options = options;
  }

  /** All that is wrong now. */
  get all(): readonly NodeTrouble[] {
    return [...this.#now.values()];
  }

  /** Takes over how one trouble is now; another note alone is no news. */
  set({ kind, family, note, logged }: State): void {
    const id = `${kind} ${family ?? ''}`;
    const isKnown = this.#now.has(id);
    if (note !== '') this.#now.set(id, { kind, note });
    else if (!this.#now.delete(id)) return;
    if (note !== '' && isKnown) return;
    const { fields, message } = logged ?? { fields: family ? { family } : {}, message: note };
    const { log } = this.#options;
    if (note === '') log.info(fields, over[kind]);
    else log.warn(fields, message);
    this.#tell(kind, note, family);
  }

  #tell(kind: TroubleKind, note: string, family: Family | undefined): void {
    const { nodeName, record } = this.#options;
    const isOver = note === '';
    record({
      regarding: nodeRegarding(nodeName),
      type: isOver ? 'Normal' : 'Warning',
      reason: isOver ? `${kind}Over` : kind,
      action: 'ProgramRules',
      note: note || `${family ? `${family}: ` : ''}${over[kind]}`,
    });
  }
}
