// Keeps what the health server reports in step with what comes and what passes.
import type { ClusterChange } from '../../model/kubernetes.ts';
import type { ProxyStatus } from '../../model/proxy-status.ts';
import type { Pass, PassListener } from '../pass.ts';
import type { ProxyHealth } from './proxy-health.ts';

/**
 * Invariant: #isNodeEligible is of the last version of this node's Node that came, also after it is gone; true where
 * objects came and no such Node; undefined where nothing came yet.
 */
export class HealthListener implements PassListener {
  readonly #health: ProxyHealth;
  readonly #nodeName: string;
  #isNodeEligible: boolean | undefined;

  constructor(health: ProxyHealth, nodeName: string) {
    this.#health = health;
    this.#nodeName = nodeName;
  }

  /** What there is to report. */
  get status(): Omit<ProxyStatus, 'cluster'> {
    return { families: this.#health.status(), isNodeEligible: this.#isNodeEligible ?? false };
  }

  queued(changes: readonly ClusterChange[]): void {
    for (const change of changes) {
      if (change.op !== 'set' || change.object.kind !== 'Node') continue;
      const { id, value } = change.object;
      if (id === this.#nodeName) this.#isNodeEligible = value.isEligible;
    }
    this.#isNodeEligible ??= true;
    this.#health.queued();
  }

  began(): void {
    this.#health.taken();
  }

  ended({ families }: Pick<Pass, 'families'>): void {
    for (const { family, error } of families) {
      if (error === undefined) this.#health.updated(family);
    }
  }
}
