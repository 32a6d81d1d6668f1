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
  | { readonly kind: 'connection'; readonly state: ConnectionState };

/** `unsolicited`: neither established, nor related to one that is, nor translated. */
export type ConnectionState = 'new' | 'invalid' | 'established' | 'unsolicited';

/** What is done with a packet that all matches of a rule fit. */
export type Action =
  /** Look the destination up among the entries of a dispatch; no entry: go on with the next rule. */
  | {
      readonly kind: 'dispatch';
      readonly dispatch: DispatchName;
      /** Entries without an address are looked up by protocol and port alone. */
      readonly by: 'address' | 'node-port';
    }
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

export type Rule = {
  readonly when: readonly Match[];
  readonly then: Action;
  /** For people, and for the comment in the kernel; made of validated names only. */
  readonly why: string;
};

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
export type PartName =
  | 'source-ranges'
  | 'services'
  | 'localnet'
  | 'health-ports'
  | 'no-endpoints'
  | 'no-external-endpoints'
  | 'cluster-ips'
  | 'forward'
  | 'masquerading';

/** A fixed chain of the rule book: independent of how many Services there are. */
export type Part = {
  readonly name: PartName;
  readonly hooks: readonly Hook[];
  /** Only the first packet of a connection enters. */
  readonly newConnectionsOnly: boolean;
  readonly rules: readonly Rule[];
};

/** The look-ups by address, protocol and port. */
export type DispatchName =
  | 'services'
  | 'no-endpoints'
  | 'no-external-endpoints'
  | 'source-ranges'
  | 'health-ports';

/** The rules of one Service port, entered from a dispatch. */
export type ServiceChain = {
  /** Whom it is for: the ClusterIP's traffic, that of all other addresses, or a check of who may. */
  readonly kind: 'internal' | 'external' | 'source-ranges';
  readonly service: ServiceKey;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly rules: readonly Rule[];
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
