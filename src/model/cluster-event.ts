// What people are to find with `kubectl describe`: something that this proxy did, or could not do, for an
// object of the cluster.

/** The object; `namespace` is '' where its kind has none. */
export type Regarding = {
  readonly kind: 'Node' | 'Service';
  readonly namespace: string;
  readonly name: string;
  /** Where it is known; that of a Service is otherwise asked for before the Event is sent. */
  readonly uid?: string;
};

/** A Kubernetes Event, as parts of the proxy report it. */
export type ClusterEvent = {
  readonly regarding: Regarding;
  readonly type: 'Normal' | 'Warning';
  /** Why, as one word for programs: `AddressConflict`. */
  readonly reason: string;
  /** What was being done, as one word for programs: `ProgramRules`. */
  readonly action: string;
  /** For people; control characters are escaped, and what is beyond 1 kB is cut off. */
  readonly note: string;
  /** Every node says just this: one Event of it is enough for the cluster. */
  readonly isSameEverywhere?: boolean;
};

/** Takes an Event and returns at once; it may never be sent, and nothing may depend on it. */
export type RecordEvent = (event: ClusterEvent) => void;

/** For a proxy without an API server. */
export const recordNothing: RecordEvent = () => {};
