// What is wrong with the cluster's objects now, wherever they come from: one list, which `status`, the page and a
// metric show; the owner of a Service learns of it by an Event. What is wrong with an object is logged where it is read.
import { problemText, type Problem } from '../../cluster/problem.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';

/** What ObjectProblems works with. */
export type ObjectProblemsOptions = {
  readonly record: RecordEvent;
  /** Hears of how many lines there are, whenever that may have changed. */
  readonly count: (lines: number) => void;
};

/** What is wrong with one object of the API; no problems: nothing any more. */
type ObjectRead = { readonly id: string; readonly problems: readonly Problem[] };

/** Invariant: #lines has, for each object that cannot be used, or all manifests, a line for each thing that is wrong now. */
export class ObjectProblems {
  readonly #options: ObjectProblemsOptions;
  readonly #lines = new Map<string, readonly string[]>();

  constructor(options: ObjectProblemsOptions) {
    this.#options = options;
  }

  /** A line for everything that is wrong now. */
  get lines(): readonly string[] {
    return [...this.#lines.values()].flat();
  }

  /** Takes over all that is wrong with manifests. */
  manifestsRead(lines: readonly string[]): void {
    this.#set('', lines);
  }

  /** Takes over what is wrong with one object of the API. */
  objectRead(kind: ClusterObject['kind'], { id, problems }: ObjectRead): void {
    const name = `${kind} ${id}`.trimEnd();
    const lines = problems.map((problem) => problemText(name, problem));
    const before = this.#lines.get(name) ?? [];
    this.#set(name, lines);
    if (kind === 'Service' && id !== '' && before.join() !== lines.join()) this.#tell(id, problems);
  }

  #set(name: string, lines: readonly string[]): void {
    if (lines.length === 0) this.#lines.delete(name);
    else this.#lines.set(name, lines);
    this.#options.count(this.lines.length);
  }

  // To whoever looks at the Service: all nodes read it alike.
  #tell(id: string, problems: readonly Problem[]): void {
    const [namespace = '', name = ''] = id.split('/');
    const isOver = problems.length === 0;
    const what = problems.map((problem) => problemText('', problem)).join('; ');
    this.#options.record({
      regarding: { kind: 'Service', namespace, name },
      type: isOver ? 'Normal' : 'Warning',
      reason: isOver ? 'InvalidServiceOver' : 'InvalidService',
      action: 'ReadObject',
      note: isOver
        ? 'it can be used again'
        : `it cannot be used as it is; what was good before is kept: ${what}`,
      isSameEverywhere: true,
    });
  }
}
