// What a lab and its agents say to each other: JSON lines, commands in on stdin, answers out on stdout.
// Types only, so that an agent starts fast.

/** `http` is a GET of `/` whose status and body count; `tcp` and `udp` ask a host of the lab its name. */
export type ProbeProtocol = 'tcp' | 'udp' | 'http';

/** Where an agent sends, and how often. */
export type Flight = {
  readonly to: string;
  readonly port: number;
  readonly protocol: ProbeProtocol;
  /** Each on a connection, or socket, of its own. */
  readonly tries: number;
  /** All tries come from this port, one after the other. */
  readonly sourcePort?: number;
};

/** What one try met. */
export type Try =
  /** A host of the lab answered: its name, and the source address that it saw. */
  | { readonly result: 'ok'; readonly name: string; readonly source: string }
  /** An HTTP server answered a probe of protocol `http`. */
  | { readonly result: 'page'; readonly status: number; readonly body: unknown }
  /** A TCP reset, or an ICMP message that says unreachable. */
  | { readonly result: 'refused' }
  /** Nothing came back in time. */
  | { readonly result: 'timeout' };

/** A TCP connection that stays open under a name, to see whether it survives a change. */
export type HeldCommand =
  | {
      readonly kind: 'open';
      readonly connection: string;
      readonly to: string;
      readonly port: number;
    }
  | { readonly kind: 'ping'; readonly connection: string }
  | { readonly kind: 'close'; readonly connection: string };

/** What an agent can be asked; the answer to each is a list of tries. */
export type Command = ({ readonly kind: 'probe' } & Flight) | HeldCommand;

/** A line on an agent's standard input. */
export type CommandLine = { readonly id: number; readonly command: Command };

/** A line on an agent's standard output. */
export type AnswerLine =
  | { readonly kind: 'ready' }
  | { readonly kind: 'tries'; readonly id: number; readonly tries: readonly Try[] }
  | { readonly kind: 'failure'; readonly id: number; readonly message: string };

/** Who an agent is and where it answers: its one argument, as JSON. */
export type AgentSetup = {
  readonly name: string;
  readonly addresses: readonly string[];
  readonly tcpPorts: readonly number[];
  readonly udpPorts: readonly number[];
  readonly echoPorts: readonly number[];
};
