// What every tracer answers with, ours and those of other proxies' rules, so that answers can be compared.
import { SluiceError } from '../../errors.ts';
import type { Endpoint } from '../../model/forwarding.ts';
import type { Outcome, Packet, Verdict } from '../trace.ts';

/** One possible end of a packet's way; rules do not say on which node an endpoint is. */
export type TracedOutcome = Omit<Outcome, 'verdict' | 'endpoint'> & {
  /** `unknown`: the packet met a rule that is not understood; the last `why` has its text. */
  readonly verdict: Verdict | 'unknown';
  readonly endpoint: Pick<Endpoint, 'ip' | 'port'> | undefined;
};

/** All ends that a packet's connection may come to; their shares add up to 1. */
export type Tracer = (packet: Packet) => readonly TracedOutcome[];

/** A ruleset that is not what the tool prints: cut off, or something else. */
export class RulesetError extends SluiceError {
  readonly code = 'SLUICE_RULESET';
  override readonly name = 'RulesetError';
}
