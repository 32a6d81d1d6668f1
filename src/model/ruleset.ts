// What a packet meets, as data that knows no backend: rules of matches and an action, each with its
// why. Built by rules/, spelled by backends/.
import type { FrontendAddress, Pool } from './forwarding.ts';
import type { Cidr, Family, Ip } from './ip.ts';
import type { Protocol, ServiceKey } from './kubernetes.ts';
import type { NodePortAddresses, PodSource } from './settings.ts';

/** A condition on a packet; all matches of a rule must hold. */
export type Match =
  | { readonly kind: 'from-pod'; readonly is: boolean; readonly podSource: PodSource }
  /** The packet still has a frontend's address as its destination. */
  | { readonly kind: 'to-frontend'; readonly address: FrontendAddress }
  | { readonly kind: 'to-cluster-ip' }
  | { readonly kind: 'to-cidr'; readonly cidr: Cidr }
  | { readonly kind: 'from-cidr'; readonly is: boolean; readonly cidr: Cidr }
  /** The source is one of this host's own addresses. */
  | { readonly kind: 'from-node' }
  /** The destination is one of the addresses of this host that take node ports. */
  | { readonly kind: 'to-node-port-address'; readonly addresses: NodePortAddresses }
  | { readonly kind: 'marked'; readonly mark: number }
  /** The connection was sent to an endpoint that is its own client. */
  | { readonly kind: 'hairpin'; readonly endpoints: 'on-this-node' | 'all' }
  | { readonly kind: 'connection'; readonly state: ConnectionState }
  /** The connection is neither established, nor related to one that is, nor translated. */
  | { readonly kind: 'unsolicited' };

export type ConnectionState = 'new' | 'invalid' | 'established';

/** What is done with a packet that all matches of a rule fit. */
export type Action =
  /** Look the destination up among the entries of a dispatch; no entry: go on with the next rule. */
  | ({ readonly kind: 'dispatch' } & LookUp)
  /** Pick a member at random, evenly, and send the connection there. */
  | { readonly kind: 'balance'; readonly pool: Pool }
  | { readonly kind: 'mark'; readonly mark: number }
  /** Clear the mark and replace the source address by the node's. */
  | { readonly kind: 'masquerade'; readonly mark: number }
  /** Leave the Service's chain and go on behind the dispatch. */
  | { readonly kind: 'return' }
  | { readonly kind: 'accept' }
  | { readonly kind: 'reject' }
  | { readonly kind: 'drop' };

/** A rule of these matches and actions alone: what a backend has to spell where the rule stands. */
export type RuleOf<M extends Match['kind'], A extends Action['kind']> = {
  readonly when: readonly Extract<Match, { kind: M }>[];
  readonly then: Extract<Action, { kind: A }>;
  /** For people, and for the comment in the kernel; made of validated names only. */
  readonly why: string;
};

export type Rule = RuleOf<Match['kind'], Action['kind']>;

export type DispatchRule = RuleOf<'to-node-port-address', 'dispatch'>;

type ServiceMatch = 'from-pod' | 'to-frontend' | 'from-cidr' | 'from-node';
export type BalanceRule = RuleOf<ServiceMatch, 'balance'>;

/** A rule of a Service port's chain. */
export type ServiceRule = BalanceRule | RuleOf<ServiceMatch, 'mark' | 'return' | 'drop'>;

export function isDispatch(rule: Rule): rule is DispatchRule {
  return rule.then.kind === 'dispatch';
}

export function balances(rule: ServiceRule): rule is BalanceRule {
  return rule.then.kind === 'balance';
}

/** Where in the kernel a part of the rule book is entered. */
export type Hook =
  | 'filter-prerouting-pre-dnat'
  | 'filter-output-pre-dnat'
  | 'nat-prerouting'
  | 'nat-output'
  | 'nat-postrouting'
  | 'filter-input'
  | 'filter-forward'
  | 'filter-output';

/** The parts that every packet may meet, named by what they do, in the order in which they apply. */
export type PartName = keyof PartRules;

/** What the rules of each part are made of. */
type PartRules = {
  readonly 'source-ranges': DispatchRule;
  readonly services: DispatchRule;
  readonly localnet: RuleOf<'to-cidr' | 'from-cidr' | 'unsolicited', 'drop'>;
  readonly 'health-ports': DispatchRule;
  readonly 'no-endpoints': DispatchRule;
  readonly 'no-external-endpoints': DispatchRule;
  readonly 'cluster-ips': RuleOf<'to-cidr' | 'to-cluster-ip', 'drop' | 'reject'>;
  readonly forward: RuleOf<'connection' | 'marked', 'accept' | 'drop'>;
  readonly masquerading: RuleOf<'marked' | 'hairpin', 'masquerade'>;
};

export type PartRule<Name extends PartName> = PartRules[Name];

/** A fixed chain of the rule book: independent of how many Services there are. */
export type Part<Name extends PartName = PartName> = {
  [N in Name]: {
    readonly name: N;
    readonly hooks: readonly Hook[];
    /** Only the first packet of a connection enters. */
    readonly newConnectionsOnly: boolean;
    readonly rules: readonly PartRules[N][];
  };
}[Name];

/** The look-ups by address, protocol and port; entries without an address by protocol and port alone. */
export type LookUp =
  | {
      readonly dispatch: 'services' | 'no-external-endpoints';
      readonly by: 'address' | 'node-port';
    }
  | { readonly dispatch: 'source-ranges' | 'no-endpoints'; readonly by: 'address' }
  | { readonly dispatch: 'health-ports'; readonly by: 'node-port' };

export type DispatchName = LookUp['dispatch'];

/** The rules of one Service port, entered from a dispatch. */
export type ServiceChain = {
  /** Whom it is for: the ClusterIP's traffic, that of all other addresses, or a check of who may. */
  readonly kind: 'internal' | 'external' | 'source-ranges';
  readonly service: ServiceKey;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly rules: readonly ServiceRule[];
};

/** Where a dispatch sends one frontend's packets. */
export type DispatchEntry = {
  readonly dispatch: DispatchName;
  readonly address: FrontendAddress;
  readonly to: ServiceChain | { readonly verdict: 'reject' | 'drop' | 'accept' };
  readonly portName: string;
  readonly why: string;
};

/** All that one Service adds to one family's rules. */
export type ServiceRules = {
  readonly service: ServiceKey;
  readonly family: Family;
  readonly entries: readonly DispatchEntry[];
  readonly clusterIps: readonly Ip[];
};
