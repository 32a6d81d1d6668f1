// New connections as a kernel counted them, before anybody knows which Service they were for.
import type { ServiceKey } from '../model/kubernetes.ts';

/** One counter. */
export type Counted = {
  /** A Service address, as frontendId has it, or a whole Service port. */
  readonly of:
    | { readonly kind: 'address'; readonly id: string }
    | { readonly kind: 'port'; readonly service: ServiceKey; readonly portName: string };
  /** `ip:port` of the endpoint that they were sent to; undefined: whichever it was. */
  readonly endpoint: string | undefined;
  readonly connections: number;
};
