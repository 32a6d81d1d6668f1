// What a test can make go wrong with a request.

/** How the bytes of an answer are handled on their way; counts are in bytes of the body. */
export type WireFault = {
  /** Pieces of this size, in place of what the server writes at once. */
  readonly split?: number;
  /** Gathers so many pieces into one. */
  readonly gather?: number;
  /** The connection is cut after so many bytes. */
  readonly cutAfter?: number;
  /** Nothing comes any more after so many bytes, and the connection stays. */
  readonly freezeAfter?: number;
};

export type Fault =
  | { readonly kind: 'status'; readonly code: number; readonly retryAfter?: string }
  /** The connection is cut before an answer. */
  | { readonly kind: 'reset' }
  /** Accepted, and never answered. */
  | { readonly kind: 'silence' }
  /** Answered only then; with two of these, answers come in another order than requests. */
  | { readonly kind: 'hold'; readonly until: Promise<unknown> }
  | ({ readonly kind: 'wire' } & WireFault)
  /** Status 200, this text, the end; a watch then has no events of its own. */
  | { readonly kind: 'say'; readonly text: string }
  /** Of a WatchList: the first events in another order, or their end never said. */
  | { readonly kind: 'initial-events'; readonly order?: 'reversed'; readonly end?: 'missing' };

/** A request as tests see it. */
export type SeenRequest = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly style: 'get' | 'list' | 'watch' | 'watch-list' | 'create';
};

export type Matching = (request: SeenRequest) => boolean;

type Planned = { readonly fault: Fault; readonly matching: Matching; times: number };

/** The faults to come. */
export class FaultPlan {
  #planned: Planned[] = [];

  /** The next `times` requests that match meet the fault. */
  add(fault: Fault, { matching = () => true, times = 1 }: { matching?: Matching; times?: number }) {
    this.#planned.push({ fault, matching, times });
  }

  /** From now on nothing goes wrong any more. */
  clear(): void {
    this.#planned = [];
  }

  /** The fault that this request meets, if any. */
  take(request: SeenRequest): Fault | undefined {
    const planned = this.#planned.find(({ matching }) => matching(request));
    if (planned === undefined) return undefined;
    planned.times -= 1;
    if (planned.times <= 0) this.#planned = this.#planned.filter((other) => other !== planned);
    return planned.fault;
  }
}
